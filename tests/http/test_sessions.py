"""Logging out: here, there and everywhere; revocation and introspection by the RFCs."""

import base64
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings, on_both
from tests.http.conftest import LetPass
from tests.partners import partner_login

from watchword import Watchword
from watchword.errors import NotFound
from watchword.events import Event, LoggedOutEverywhere, SessionEnded, TokenRevoked

pytestmark = pytest.mark.usefixtures("alice")

NEW_PASSWORD = "another correct horse battery"


class Login:
    """A login on one device."""

    def __init__(self, client: Client, **fields: str) -> None:
        self.client = client
        self.tokens = client.ask_token(**fields).json()
        self.headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        assert client.get("/mine", headers=self.headers).status_code == 200, "it is remembered from here on"

    @property
    def is_in(self) -> bool:
        """Whether the access token is let in; the refresh token is not touched."""
        return bool(self.client.get("/mine", headers=self.headers).status_code == 200)

    def refresh(self) -> Any:
        return self.client.post("/auth/refresh", json={"refresh_token": self.tokens["refresh_token"]})

    @property
    def id(self) -> str:
        items = self.client.get("/auth/sessions", headers=self.headers).json()["items"]
        return str(next(item["id"] for item in items if item["is_current"]))


def assert_ended(login: Login) -> None:
    answer = login.client.get("/mine", headers=login.headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert login.refresh().status_code == 400


@on_both
def test_a_logout_ends_the_session_and_its_tokens_and_no_other(client: Client) -> None:
    here, there = Login(client), Login(client)
    answer = client.post("/auth/logout", headers=here.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert_ended(here)
    assert there.is_in
    assert there.refresh().status_code == 200
    assert client.post("/auth/logout", headers=here.headers).status_code == 401


@on_both
def test_the_list_shows_each_device_and_which_one_asks(client: Client) -> None:
    for agent in ("phone", "desk \x1b[31m top", "x" * 300):
        client.post(
            "/auth/token",
            data={"grant_type": "password", "username": EMAIL, "password": PASSWORD},
            headers={"User-Agent": agent},
        )
    here = Login(client)
    body = client.get("/auth/sessions", headers=here.headers).json()
    assert body["next"] is None
    assert [item["user_agent"] for item in body["items"]] == ["testclient", "x" * 255, "desk [31m top", "phone"]
    assert [item["is_current"] for item in body["items"]] == [True, False, False, False]
    newest = body["items"][0]
    assert set(newest) == {"id", "client_id", "user_agent", "address", "created_at", "last_used_at", "ends_at",
                           "is_current"}  # fmt: skip
    assert (newest["client_id"], newest["address"]) == ("first-party", "testclient")


@on_both
def test_the_list_comes_in_pages(client: Client) -> None:
    logins = [Login(client) for _ in range(5)]
    headers = logins[0].headers
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = client.get("/auth/sessions", params={"limit": "2", **before}, headers=headers).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"before": "x"}])
def test_a_page_that_cannot_be_is_invalid_input(client: Client, query: dict[str, str]) -> None:
    answer = client.get("/auth/sessions", params=query, headers=client.log_in())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@on_both
def test_a_session_that_ended_or_expired_is_not_listed(client: Client, let_pass: LetPass) -> None:
    Login(client)
    let_pass(days=31)
    ended, here = Login(client), Login(client)
    client.post("/auth/logout", headers=ended.headers)
    assert [item["is_current"] for item in client.get("/auth/sessions", headers=here.headers).json()["items"]] == [True]


@on_both
def test_one_device_is_logged_out_by_another(client: Client) -> None:
    here, there = Login(client), Login(client)
    assert client.delete(f"/auth/sessions/{there.id}", headers=here.headers).status_code == 204
    assert_ended(there)
    assert here.is_in


@on_both
def test_the_session_of_somebody_else_is_not_found(client: Client) -> None:
    client.sign_up("mallory@example.com")
    victim, mallory = Login(client), Login(client, email="mallory@example.com")
    for session_id in (victim.id, "01900000-0000-7000-8000-000000000000"):
        answer = client.delete(f"/auth/sessions/{session_id}", headers=mallory.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.delete("/auth/sessions/x", headers=mallory.headers).status_code == 422
    assert victim.is_in


@on_both
def test_the_others_are_logged_out_and_this_one_stays(client: Client) -> None:
    client.sign_up("bob@example.com")
    logins, bob = [Login(client) for _ in range(4)], Login(client, email="bob@example.com")
    assert client.delete("/auth/sessions", headers=logins[2].headers).status_code == 204
    for login in (*logins[:2], logins[3]):
        assert_ended(login)
    assert logins[2].is_in
    assert bob.is_in


@on_both
def test_everywhere_means_here_too(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(LoggedOutEverywhere, heard.append)
    logins = [Login(client) for _ in range(3)]
    answer = client.delete("/auth/sessions", params={"everywhere": "true"}, headers=logins[0].headers)
    assert answer.status_code == 204
    for login in logins:
        assert_ended(login)
    assert len(heard) == 1
    assert Login(client).is_in


@on_both
def test_a_changed_password_ends_every_session(client: Client) -> None:
    logins = [Login(client), Login(client)]
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/auth/password/change", json=change, headers=logins[0].headers).status_code == 204
    for login in logins:
        assert_ended(login)


@on_both
def test_host_code_lists_and_ends_sessions(client: Client, auth: Watchword[Any]) -> None:
    first, second = Login(client), Login(client)
    call = client.portal.call  # type: ignore[union-attr]  # it is started

    user = call(auth.users.find, EMAIL)
    assert user is not None
    listed = call(auth.sessions.list, user.id)
    assert [str(session.id) for session in listed] == [second.id, first.id]
    assert listed[0].scopes == {"orders:read", "orders:write"}
    call(auth.sessions.end, user.id, listed[0].id)
    assert_ended(second)
    assert first.is_in
    call(auth.sessions.end_all, user.id)
    assert_ended(first)
    with pytest.raises(NotFound):
        call(auth.sessions.end, user.id, listed[0].id)
    with pytest.raises(NotFound):
        call(auth.sessions.end_all, listed[0].id)


@on_both
@pytest.mark.parametrize("how", ["disable", "delete"])
def test_row_19_a_disabled_or_deleted_user_is_out_at_once(client: Client, auth: Watchword[Any], how: str) -> None:
    login = Login(client)
    call = client.portal.call  # type: ignore[union-attr]  # it is started
    user = call(auth.users.find, EMAIL)
    assert user is not None
    call(getattr(auth.users, how), user.id)
    assert_ended(login)
    if how == "disable":
        call(auth.users.enable, user.id)
        assert_ended(login)  # what ended stays ended


@on_both
def test_a_changed_profile_is_seen_by_the_next_request_with_a_remembered_token(database: str) -> None:
    from watchword import Profile

    class Named(Profile):
        name: str = ""

    auth: Watchword[Any] = Watchword(make_settings(database), profile=Named)
    with Client(make_app(auth)) as client:
        login = Login(client)
        assert client.patch("/auth/me", json={"profile": {"name": "Ann"}}, headers=login.headers).status_code == 200
        assert client.get("/auth/me", headers=login.headers).json()["profile"] == {"name": "Ann"}
        assert login.is_in


# RFC 7009


def revoke(client: Client, token: str, **request: Any) -> Any:
    return client.post("/auth/revoke", data={"token": token, **request.pop("form", {})}, **request)


@on_both
@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "access_token"},
                                  {"token_type_hint": "nonsense"}])  # fmt: skip
def test_a_revoked_refresh_token_ends_its_session(client: Client, hint: dict[str, str]) -> None:
    login = Login(client)
    answer = revoke(client, login.tokens["refresh_token"], form=hint)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert_ended(login)


@on_both
def test_a_refresh_token_that_was_traded_ends_its_session_too(client: Client) -> None:
    login = Login(client)
    login.refresh()
    assert revoke(client, login.tokens["refresh_token"]).status_code == 200
    assert_ended(login)


@on_both
@pytest.mark.parametrize("hint", [{}, {"token_type_hint": "refresh_token"}])
def test_row_19_a_revoked_access_token_ends_alone(client: Client, auth: Watchword[Any], hint: dict[str, str]) -> None:
    heard: list[Event] = []
    auth.on(Event, heard.append)
    login = Login(client)
    assert revoke(client, login.tokens["access_token"], form=hint).status_code == 200
    assert not login.is_in
    assert isinstance(heard[-1], TokenRevoked)
    answer = login.refresh()
    assert answer.status_code == 200
    fresh = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/mine", headers=fresh).status_code == 200


@pytest.mark.parametrize("token", ["x", "wwr_x", "eyJhbGciOiJub25lIn0.e30.", "wwr_" + "A" * 80])
def test_row_40_a_token_that_is_unknown_is_no_error(client: Client, token: str) -> None:
    assert revoke(client, token).status_code == 200


@on_both
def test_what_was_revoked_may_be_revoked_again(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(SessionEnded, heard.append)
    login = Login(client)
    for token in ("access_token", "refresh_token", "refresh_token", "access_token"):
        assert revoke(client, login.tokens[token]).status_code == 200
    assert len(heard) == 1


def tokens_of_a_partner(client: Client, auth: Watchword[Any]) -> tuple[str, str]:
    assert client.portal is not None
    issued = client.portal.call(partner_login, auth)
    assert issued.refresh_token is not None
    return issued.access_token, issued.refresh_token


@on_both
def test_row_40_another_clients_token_is_refused_and_lives(client: Client, auth: Watchword[Any]) -> None:
    for token in (tokens := tokens_of_a_partner(client, auth)):
        answer = revoke(client, token)
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert client.get("/who", headers={"Authorization": f"Bearer {tokens[0]}"}).status_code == 200


BASIC = {"Authorization": "Basic " + base64.b64encode(b"a:b").decode()}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/auth/revoke", "/auth/introspect"])
@pytest.mark.parametrize(
    "request_",
    [{"data": {}}, {"data": {"token": ""}}, {"json": {"token": "x"}}, {"content": "token=x&token=x"},
     {"data": {"token": "x"}, "params": {"token": "x"}}],
    ids=["nothing", "empty", "json", "twice", "in the URL"],
)  # fmt: skip
def test_a_malformed_request_is_refused(client: Client, path: str, request_: dict[str, Any]) -> None:
    headers = {} if path == "/auth/revoke" else client.log_in()
    if "content" in request_:
        headers = {**headers, **FORM}
    answer = client.post(path, **request_, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/auth/revoke", "/auth/introspect"])
@pytest.mark.parametrize(
    "request_",
    [{"data": {"token": "x", "client_id": "nobody"}}, {"data": {"token": "x"}, "headers": BASIC}],
    ids=["another client", "a wrong secret"],
)
def test_a_client_that_is_not_authenticated_is_refused(client: Client, path: str, request_: dict[str, Any]) -> None:
    answer = client.post(path, **request_)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("path", ["/auth/token", "/auth/revoke", "/auth/introspect"])
@pytest.mark.parametrize("credentials", [b"\xc3\xa9", b"\xe9\xff", b"====", b"Zm9v"])
def test_row_29_basic_credentials_that_cannot_be_read_are_no_client(
    client: Client, path: str, credentials: bytes
) -> None:
    headers = {b"Authorization": b"Basic " + credentials}
    answer = client.post(path, data={"token": "x", "grant_type": "password"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


# RFC 7662


def introspect(client: Client, token: str, headers: dict[str, str]) -> Any:
    answer = client.post("/auth/introspect", data={"token": token}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


@on_both
def test_a_user_asks_about_their_own_access_token(client: Client) -> None:
    login = Login(client)
    told = introspect(client, login.tokens["access_token"], login.headers)
    assert told["active"] is True
    assert (told["token_type"], told["username"], told["client_id"]) == ("Bearer", EMAIL, "first-party")
    assert told["scope"] == "orders:read orders:write"
    assert told["exp"] - told["iat"] == 900
    assert {"iss", "aud", "sub", "jti", "sid", "auth_time", "amr"} <= set(told)


@on_both
def test_a_refresh_token_is_active_until_it_is_traded(client: Client) -> None:
    login = Login(client)
    told = introspect(client, login.tokens["refresh_token"], login.headers)
    assert told["active"] is True
    assert "username" not in told
    successor = login.refresh().json()["refresh_token"]
    assert introspect(client, login.tokens["refresh_token"], login.headers) == {"active": False}
    assert introspect(client, successor, login.headers)["active"] is True


@on_both
def test_row_40_what_is_somebody_elses_or_nothing_is_inactive(client: Client, auth: Watchword[Any]) -> None:
    client.sign_up("bob@example.com")
    alice, bob = Login(client), Login(client, email="bob@example.com")
    partner = tokens_of_a_partner(client, auth)
    for token in (*bob.tokens.values(), *partner, "x", "wwr_x", "wwr_" + "A" * 80):
        if isinstance(token, str) and token not in {"bearer", "orders:read orders:write"}:
            assert introspect(client, token, alice.headers) == {"active": False}


@on_both
def test_a_revoked_token_is_inactive_and_asks_nothing_any_more(client: Client) -> None:
    here, there = Login(client), Login(client)
    revoke(client, there.tokens["access_token"])
    assert introspect(client, there.tokens["access_token"], here.headers) == {"active": False}
    answer = client.post("/auth/introspect", data={"token": here.tokens["access_token"]}, headers=there.headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic Og=="}, {"Authorization": "Bearer"},
                                     {"Authorization": "Bearer x"}])  # fmt: skip
def test_row_40_who_is_not_authenticated_may_not_ask(client: Client, headers: dict[str, str]) -> None:
    answer = client.post("/auth/introspect", data={"token": Login(client).tokens["access_token"]}, headers=headers)
    assert answer.status_code in {400, 401}
    assert "active" not in answer.json()
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"]
