"""Refresh tokens: each is traded once, a lost answer may be asked for again, and a stolen one ends the session."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import event, select, update
from tests.conftest import EMAIL, SCOPES, SECRET, Client, make_app, make_settings, on_both
from tests.http.conftest import LetPass
from tests.partners import partner_login

from watchword import Watchword
from watchword.crypto import base64url
from watchword.crypto.refresh_tokens import RefreshToken, RefreshTokenKeys
from watchword.events import Event, RefreshRefused, SessionHealed, SessionRefreshed, SessionReused
from watchword.storage.direct import Step
from watchword.storage.tables import session

pytestmark = pytest.mark.usefixtures("alice")

KEYS = RefreshTokenKeys.from_secrets([SECRET.encode()])


@pytest.fixture
def heard(auth: Watchword[Any]) -> list[Event]:
    heard: list[Event] = []
    auth.on(Event, heard.append)
    return heard


def refresh(client: Client, token: str, **fields: str) -> Any:
    return client.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token, **fields})


def assert_refused(answer: Any) -> None:
    assert answer.status_code == 400, answer.text
    text = "The refresh token is invalid, expired or was used before"
    assert answer.json() == {"error": "invalid_grant", "error_description": text, "detail": text}
    assert answer.headers["cache-control"] == "no-store"


def claims(access_token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64url.decode(access_token.split(".")[1]))
    return decoded


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@on_both
def test_a_login_answers_a_refresh_token_and_the_session_is_in_the_access_token(client: Client) -> None:
    answer = client.ask_token()
    tokens = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert tokens["refresh_token"].startswith("wwr_")
    assert tokens["expires_in"] == 900
    told = claims(tokens["access_token"])
    assert told["amr"] == ["pwd"]
    assert {"sid", "jti", "auth_time"} <= set(told)
    assert KEYS.decode(tokens["refresh_token"]).generation == 0


@on_both
def test_a_refresh_gives_new_tokens_of_the_same_session_and_login(client: Client) -> None:
    first = client.ask_token().json()
    answer = refresh(client, first["refresh_token"])
    second = answer.json()
    assert answer.status_code == 200
    assert second["token_type"] == "bearer"
    before, after = claims(first["access_token"]), claims(second["access_token"])
    same = ("sid", "sub", "scope", "auth_time", "amr", "epoch", "client_id")
    assert [before[name] for name in same] == [after[name] for name in same]
    assert before["jti"] != after["jti"]
    assert KEYS.decode(second["refresh_token"]).generation == 1
    for tokens in (first, second):  # the access token from before is good until it expires
        assert client.get("/mine", headers=bearer(tokens)).json() == {"email": EMAIL}


def test_json_refreshes_too(client: Client) -> None:
    answer = client.post("/auth/refresh", json={"refresh_token": client.ask_token().json()["refresh_token"]})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert KEYS.decode(answer.json()["refresh_token"]).generation == 1


@pytest.mark.parametrize("body", [{}, {"refresh_token": 1}, {"refresh_token": "x", "scope": "orders:read"}, [], "x"])
def test_json_that_is_no_refresh_is_invalid_input(client: Client, body: object) -> None:
    answer = client.post("/auth/refresh", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


def test_json_is_refused_in_the_shape_of_json(client: Client) -> None:
    answer = client.post("/auth/refresh", json={"refresh_token": "wwr_no"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_grant"


@on_both
def test_a_lost_answer_is_answered_again_with_the_same_successor(
    client: Client, heard: list[Event], let_pass: LetPass
) -> None:
    token = client.ask_token().json()["refresh_token"]
    first = refresh(client, token).json()
    let_pass(seconds=25)
    again = refresh(client, token)
    assert again.status_code == 200
    assert again.json()["refresh_token"] == first["refresh_token"]
    assert [event.retried for event in heard if isinstance(event, SessionRefreshed)] == [False, True]
    assert refresh(client, first["refresh_token"]).status_code == 200


@on_both
def test_a_token_used_after_the_leeway_ends_the_session_for_thief_and_owner(
    client: Client, heard: list[Event], let_pass: LetPass
) -> None:
    first = client.ask_token().json()
    second = refresh(client, first["refresh_token"]).json()
    let_pass(seconds=31)
    assert_refused(refresh(client, first["refresh_token"]))
    assert_refused(refresh(client, second["refresh_token"]))
    for tokens in (first, second):
        assert client.get("/mine", headers=bearer(tokens)).status_code == 401
    (reused,) = [event for event in heard if isinstance(event, SessionReused)]
    assert str(reused.session_id) == claims(first["access_token"])["sid"]
    assert reused.device.user_agent == "testclient"
    assert isinstance(heard[-1], RefreshRefused)


@on_both
def test_a_delayed_duplicate_of_the_last_but_one_is_refused_and_harms_nobody(
    client: Client, heard: list[Event]
) -> None:
    first = client.ask_token().json()["refresh_token"]
    second = refresh(client, first).json()["refresh_token"]
    third = refresh(client, second).json()["refresh_token"]
    assert_refused(refresh(client, first))
    assert not any(isinstance(event, SessionReused) for event in heard)
    assert refresh(client, third).status_code == 200


@on_both
def test_a_token_of_three_refreshes_ago_ends_the_session_within_the_leeway_too(client: Client) -> None:
    tokens = [client.ask_token().json()["refresh_token"]]
    for _ in range(3):
        tokens.append(refresh(client, tokens[-1]).json()["refresh_token"])
    assert_refused(refresh(client, tokens[0]))
    assert_refused(refresh(client, tokens[-1]))


@on_both
@pytest.mark.parametrize("behind", [1, 2])
def test_a_session_whose_last_refreshes_a_failover_lost_goes_on_and_says_so(
    client: Client, auth: Watchword[Any], heard: list[Event], behind: int
) -> None:
    token = client.ask_token().json()["refresh_token"]
    for _ in range(behind + 1):
        token = refresh(client, token).json()["refresh_token"]
    set_generation(client, auth, 1)
    answer = refresh(client, token)
    assert answer.status_code == 200
    assert KEYS.decode(answer.json()["refresh_token"]).generation == behind + 2
    assert [event.lost_generations for event in heard if isinstance(event, SessionHealed)] == [behind]


@on_both
def test_a_session_that_is_three_behind_is_refused_and_left_alone(
    client: Client, auth: Watchword[Any], heard: list[Event]
) -> None:
    tokens = [client.ask_token().json()["refresh_token"]]
    for _ in range(3):
        tokens.append(refresh(client, tokens[-1]).json()["refresh_token"])
    set_generation(client, auth, 0)
    assert_refused(refresh(client, tokens[3]))
    assert not any(isinstance(event, SessionReused) for event in heard)
    assert refresh(client, tokens[0]).status_code == 200


def set_generation(client: Client, auth: Watchword[Any], generation: int) -> None:
    async def change() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(update(session).values(generation=generation))

    assert client.portal is not None
    client.portal.call(change)


@on_both
def test_a_session_that_is_not_refreshed_ends(client: Client, let_pass: LetPass) -> None:
    token = client.ask_token().json()["refresh_token"]
    let_pass(days=29)
    token = refresh(client, token).json()["refresh_token"]
    let_pass(days=29)
    token = refresh(client, token).json()["refresh_token"]
    let_pass(days=30, seconds=1)
    assert_refused(refresh(client, token))


@on_both
def test_a_session_ends_after_its_absolute_lifetime_however_often_it_is_refreshed(
    client: Client, let_pass: LetPass
) -> None:
    token = client.ask_token().json()["refresh_token"]
    for _ in range(4):
        let_pass(days=20)
        token = refresh(client, token).json()["refresh_token"]
    let_pass(days=9, hours=23, minutes=55)
    last = refresh(client, token).json()
    assert 240 < last["expires_in"] <= 300  # no access token outlives its session
    assert claims(last["access_token"])["exp"] - claims(last["access_token"])["iat"] == last["expires_in"]
    let_pass(minutes=6)
    assert_refused(refresh(client, last["refresh_token"]))


@on_both
def test_a_narrower_scope_narrows_the_access_token_only(client: Client) -> None:
    token = client.ask_token().json()["refresh_token"]
    narrow = refresh(client, token, scope="orders:read").json()
    assert narrow["scope"] == "orders:read"
    assert client.get("/orders", headers=bearer(narrow)).status_code == 200
    whole = refresh(client, narrow["refresh_token"]).json()
    assert whole["scope"] == "orders:read orders:write"


@on_both
@pytest.mark.parametrize("scope", ["orders:read orders:write", "admin", "unknown"])
def test_row_37_a_wider_scope_is_refused_and_changes_nothing(client: Client, scope: str) -> None:
    token = client.ask_token(scope="orders:read").json()["refresh_token"]
    answer = refresh(client, token, scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert KEYS.decode(refresh(client, token).json()["refresh_token"]).generation == 1


@on_both
def test_row_37_another_clients_token_is_refused_and_stays_good(client: Client, auth: Watchword[Any]) -> None:
    assert client.portal is not None
    token = client.portal.call(partner_login, auth).refresh_token
    assert token is not None
    assert_refused(refresh(client, token))
    assert client.post("/auth/refresh", json={"refresh_token": token}).status_code == 400
    assert generation(client, auth, token) == 0


def generation(client: Client, auth: Watchword[Any], token: str) -> int | None:
    """Where the session stands; None if it has ended."""

    async def read() -> int | None:
        async with auth.open_session.storage.reading() as stores:
            found = await stores.sessions.find(KEYS.decode(token).handle)
        return None if found is None else found[1]

    assert client.portal is not None
    return client.portal.call(read)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "wwr_",
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: token[:20] + ("A" if token[20] != "A" else "B") + token[21:],
        lambda token: "wwk_" + token[4:],
        lambda token: token.upper(),
        lambda _: "\u0430" * 84,
        lambda _: "wwr_" + "A" * 80,
        lambda token: RefreshTokenKeys.from_secrets([b"another secret of thirty-two bytes"]).encode(KEYS.decode(token)),
        lambda _: KEYS.encode(RefreshToken(b"no such session!", 0)),
        lambda token: KEYS.encode(RefreshToken(KEYS.decode(token).handle, 3)),
        lambda token: KEYS.encode(RefreshToken(KEYS.decode(token).handle, 2**32 - 1)),
    ],
    ids=["empty", "prefix", "cut", "longer", "typo", "another prefix", "upper case", "not ASCII", "zeros",
         "another secret", "unknown handle", "too far ahead", "the last generation"],
)  # fmt: skip
def test_what_is_no_token_of_ours_is_refused_and_changes_nothing(client: Client, spoil: Callable[[str], str]) -> None:
    token = client.ask_token().json()["refresh_token"]
    answer = refresh(client, spoil(token))
    if spoil(token):
        assert_refused(answer)
    else:
        assert answer.json()["error"] == "invalid_request"
    assert refresh(client, token).status_code == 200


def test_a_refresh_token_that_is_no_token_asks_no_database(client: Client, auth: Watchword[Any]) -> None:
    token = client.ask_token().json()["refresh_token"]
    with counted(auth) as statements:
        assert_refused(refresh(client, token[:-6] + "AAAAAA"))
    assert statements == []


class counted:  # noqa: N801 — reads as a sentence
    """The statements that a block sends, through the pool of the requests or past it."""

    def __init__(self, auth: Watchword[Any]) -> None:
        self.engine = auth.open_session.storage.engine.sync_engine
        self.direct: Any = auth.open_session.storage.direct
        self.statements: list[str] = []

    def __enter__(self) -> list[str]:
        event.listen(self.engine, "before_cursor_execute", self.note)
        first = self.direct.first

        def noted(steps: Sequence[Step]) -> Any:
            self.statements += [statement.sql for statement, _ in steps]
            return first(steps)

        self.direct.first = noted
        return self.statements

    def note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.statements.append(statement)

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self.note)
        del self.direct.first


@on_both
def test_a_refresh_is_one_update_and_nothing_around_it(client: Client, auth: Watchword[Any]) -> None:
    token = client.ask_token().json()["refresh_token"]
    with counted(auth) as statements:
        assert refresh(client, token).status_code == 200
    assert len(statements) == 1, statements
    assert statements[0].startswith("UPDATE watchword_session SET")
    assert " RETURNING " in statements[0]


@on_both
def test_a_remembered_token_sends_no_statement_at_all(client: Client, auth: Watchword[Any]) -> None:
    headers = client.log_in()
    assert client.get("/mine", headers=headers).status_code == 200
    with counted(auth) as statements:
        for path in ("/mine", "/who", "/orders", "/auth/me"):
            assert client.get(path, headers=headers).status_code == 200
    assert statements == []


@on_both
def test_nothing_that_could_be_presented_is_stored(client: Client, auth: Watchword[Any]) -> None:
    token = client.ask_token().json()["refresh_token"]

    async def read() -> list[bytes]:
        async with auth.open_session.storage.connection() as connection:
            return [repr(tuple(row)).encode() for row in (await connection.execute(select(session))).all()]

    assert client.portal is not None
    (row,) = client.portal.call(read)
    whole = base64url.decode(token.removeprefix("wwr_"))
    assert token[24:].encode() not in row
    assert repr(whole[24:56])[2:-1].encode() not in row  # the MAC


@on_both
def test_a_new_secret_takes_over_without_logging_anybody_out(database: str) -> None:
    new = "another-secret-for-tests-0123456789-xyz"
    settings = [f"{SECRET} {new}", f"{new} {SECRET}"]
    with Client(make_app(Watchword(make_settings(database), scopes=SCOPES))) as client:
        token = client.ask_token().json()["refresh_token"]
    for secret in settings:
        with Client(make_app(Watchword(make_settings(database, secret=secret), scopes=SCOPES))) as client:
            token = refresh(client, token).json()["refresh_token"]
    assert RefreshTokenKeys.from_secrets([new.encode()]).decode(token).generation == 2


@on_both
def test_without_leeway_a_second_use_ends_the_session(database: str) -> None:
    with Client(make_app(Watchword(make_settings(database, refresh_leeway="0"), scopes=SCOPES))) as client:
        first = client.ask_token().json()["refresh_token"]
        second = refresh(client, first).json()["refresh_token"]
        assert_refused(refresh(client, first))
        assert_refused(refresh(client, second))
