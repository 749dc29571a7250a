"""API keys: made by a login, shown once, good wherever a scope of theirs is named, gone when their owner is."""

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import FastAPI, Security, WebSocket
from sqlalchemy import event, insert, select, update
from starlette.websockets import WebSocketDisconnect
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings, on_both

from watchword import (
    ApiKey,
    CreatedApiKey,
    CurrentPrincipal,
    NotFound,
    Principal,
    User,
    Watchword,
    current_user,
    requires,
    requires_recent_login,
    requires_role,
)
from watchword.crypto import opaque_tokens
from watchword.errors import InvalidInput, InvalidScope, InvalidToken, TooManyApiKeys
from watchword.events import ApiKeyCreated, ApiKeyRevoked, Event, TokenRevoked, UserDisabled
from watchword.flows import create_api_key
from watchword.flows.change_password import PasswordChange
from watchword.flows.create_api_key import ApiKeyRequest
from watchword.storage.tables import api_key, metadata
from watchword.storage.tables import client as client_table

NEW_PASSWORD = "another correct horse battery"
Start = Callable[..., Any]


def app_of(auth: Watchword[Any]) -> FastAPI:
    """The usual routes, and some that keys are made for."""
    app = make_app(auth)

    @app.get("/read-as-user")
    async def read_as_user(user: Annotated[User, Security(current_user, scopes=["orders:read"])]) -> str:
        return user.email

    @app.get("/write", dependencies=[requires("orders:write")])
    async def write() -> str:
        return "written"

    @app.get("/recent", dependencies=[requires_recent_login(minutes=5)])
    async def recent() -> str:
        return "recent"

    @app.get("/clerks", dependencies=[requires_role("clerk")])
    async def clerks() -> str:
        return "clerks"

    @app.get("/principal")
    async def principal(principal: CurrentPrincipal) -> Principal:
        return principal

    @app.websocket("/live")
    async def live(websocket: WebSocket, principal: CurrentPrincipal) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        await principal.ended()
        await websocket.close(4401)

    return app


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(app_of(auth)) as client:
        client.sign_up()
        yield client


def call(client: Client, function: Callable[..., Any], *arguments: Any) -> Any:
    assert client.portal is not None
    return client.portal.call(function, *arguments)


def ask(client: Client, headers: dict[str, str] | None = None, **body: Any) -> Any:
    body = {"name": "ci", "scopes": ["orders:read"], **body}
    return client.post("/auth/api-keys", json=body, headers=client.log_in() if headers is None else headers)


def create(client: Client, **body: Any) -> dict[str, Any]:
    answer = ask(client, **body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def status(client: Client, path: str, key: str) -> int:
    code: int = client.get(path, headers=bearer(key)).status_code
    return code


def assert_ended(client: Client, key: str) -> None:
    answer = client.get("/orders", headers=bearer(key))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


@contextmanager
def statements(auth: Watchword[Any]) -> Iterator[list[str]]:
    """What the database of the requests is asked meanwhile; the feed has a connection of its own."""
    seen: list[str] = []
    engine = auth.open_session.storage.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def change(auth: Watchword[Any], key_id: str, **values: Any) -> None:
    async with auth.open_session.storage.connection(writes=True) as connection:
        await connection.execute(update(api_key).where(api_key.c.id == UUID(key_id)).values(**values))


async def add_client(auth: Watchword[Any], client_id: str, scope: str) -> None:
    async with auth.open_session.storage.connection(writes=True) as connection:
        await connection.execute(
            insert(client_table).values(
                id=client_id,
                name=client_id,
                is_public=False,
                is_active=True,
                grants="",
                scope=scope,
                auth_method="none",
                created_at=datetime.now(UTC),
            )
        )


async def stored(auth: Watchword[Any]) -> str:
    """Everything that is in the database."""
    async with auth.open_session.storage.reading() as stores:
        connection = stores.users._connection
        rows = [tuple(row) for table in metadata.sorted_tables for row in await connection.execute(select(table))]
    return repr(rows)


# Making one


@on_both
def test_a_new_key_is_shown_once_and_is_no_more_than_what_was_asked_for(client: Client) -> None:
    answer = ask(client, name="Büro-Drucker", scopes=["orders:write", "orders:read", "orders:read"], expires_in="30d")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    created = answer.json()
    key = created.pop("key")
    assert key.startswith("wwk_")
    assert len(key) == 52
    assert created["hint"] == f"wwk_…{key[-4:]}"
    assert (created["name"], created["scopes"]) == ("Büro-Drucker", ["orders:read", "orders:write"])
    assert life_of(created) == timedelta(days=30)
    listed = client.get("/auth/api-keys", headers=client.log_in())
    assert listed.json() == {"items": [created], "next": None}
    assert listed.headers["cache-control"] == "no-store"
    assert created["last_used_at"] is None


def life_of(created: dict[str, Any]) -> timedelta:
    life = datetime.fromisoformat(created["expires_at"]) - datetime.fromisoformat(created["created_at"])
    return timedelta(seconds=round(life.total_seconds()))


@on_both
def test_a_key_lives_as_long_as_it_is_said(client: Client) -> None:
    for expires_in, days in ((None, 90), (86400, 1), ("P2D", 2), ("365d", 365)):
        assert life_of(create(client, expires_in=expires_in)) == timedelta(days=days)


def test_the_longest_life_is_a_setting_and_shortens_the_default(sqlite_url: str) -> None:
    with Client(app_of(Watchword(make_settings(sqlite_url, api_key_max_lifetime="7d"), scopes=SCOPES))) as client:
        client.sign_up()
        assert life_of(create(client)) == timedelta(days=7)
        answer = ask(client, expires_in="8d")
        assert (answer.status_code, answer.json()["detail"]) == (422, "expires_in: must be at most 7d")


BODIES: list[dict[str, Any]] = [
    *({"name": name} for name in ("", " ", "x" * 101, "two\nlines", "\x1b[31mred", "\ud800", "\u202eevil", 7)),
    *({"scopes": scopes} for scopes in ([], "orders:read", None, [7], ["orders:read"] * 1001)),
    *({"expires_in": life} for life in ("366d", 0, -1, True, "soon", 1e300, "99999999999999d", "P1W1X")),
    {"user_id": "somebody"},
]


def test_what_cannot_be_is_invalid_input_and_is_not_repeated(client: Client) -> None:
    headers = {**client.log_in(), "Content-Type": "application/json"}
    for body in BODIES:
        content = json.dumps({"name": "ci", "scopes": ["orders:read"], **body})
        answer = client.post("/auth/api-keys", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), body
        assert not any(sent in answer.text for sent in ("evil", "somebody", "soon", "lines")), body
    for number in ("1e999", "NaN"):
        content = f'{{"name": "ci", "scopes": ["orders:read"], "expires_in": {number}}}'
        assert client.post("/auth/api-keys", content=content, headers=headers).status_code == 422
    assert client.get("/auth/api-keys", headers=headers).json()["items"] == []


def test_row_18_a_key_takes_no_scope_that_its_owner_has_not(client: Client) -> None:
    headers = client.log_in()
    for scope in (
        "admin",
        "2fa",
        "openid",
        "email",
        "orders:delete",
        "orders:rea",
        "Orders:read",
        "*",
        "",
        "a b",
        "\n",
    ):
        answer = ask(client, headers, scopes=["orders:read", scope])
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_scope"), scope
    assert client.get("/auth/api-keys", headers=headers).json()["items"] == []


def test_a_login_gives_a_key_no_more_than_it_has(client: Client) -> None:
    narrow = client.log_in(scope="orders:read")
    assert ask(client, narrow, scopes=["orders:read", "orders:write"]).status_code == 400
    assert ask(client, narrow, scopes=["orders:read"]).status_code == 201


def test_an_old_login_makes_no_key(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = client.log_in()
    monkeypatch.setattr("watchword.guard.dependencies.time.time", lambda: datetime.now(UTC).timestamp() + 301)
    answer = ask(client, headers)
    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]
    assert client.get("/auth/api-keys", headers=headers).json()["items"] == []


def test_an_owner_has_a_hundred_keys_in_force_at_most(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert create_api_key.MOST_KEYS == 100
    monkeypatch.setattr(create_api_key, "MOST_KEYS", 2)
    first = create(client)
    create(client)
    answer = ask(client)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_api_keys")
    client.delete(f"/auth/api-keys/{first['id']}", headers=client.log_in())
    create(client)


@pytest.mark.anyio
async def test_keys_that_are_made_at_once_do_not_pass_the_limit(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(create_api_key, "MOST_KEYS", 3)
    async with start(database_url) as auth:
        user = await auth.users.create(EMAIL, PASSWORD)
        made = await asyncio.gather(
            *(auth.api_keys.create(user.id, "at once", scopes=["orders:read"]) for _ in range(8)),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, CreatedApiKey) for outcome in made) == 3
        assert sum(isinstance(outcome, TooManyApiKeys) for outcome in made) == 5
        assert len(await auth.api_keys.list(user.id)) == 3


@pytest.mark.anyio
async def test_a_login_that_ended_after_the_guard_makes_no_key(start: Start, database_url: str) -> None:
    async with start(database_url) as auth, _logged_in(auth) as principal:
        await auth.sessions.end(principal.user_id, principal.session_id)
        request = ApiKeyRequest(principal.user_id, "late", frozenset({"orders:read"}), asking=principal)
        with pytest.raises(InvalidToken):
            await auth.use_cases.create_api_key(request)
        assert await auth.api_keys.list(principal.user_id) == []


@asynccontextmanager
async def _logged_in(auth: Watchword[Any]) -> AsyncIterator[Any]:
    from watchword.identity.authenticate_client import ClientCredentials
    from watchword.model import Device

    user = await auth.users.create(EMAIL, PASSWORD)
    async with auth.open_session.storage.reading() as stores:
        account = await stores.users.get(user.id)
    assert account is not None
    first_party = await auth.use_cases.authenticate_client(ClientCredentials())
    issued = await auth.open_session(account, first_party, scopes=frozenset(SCOPES), amr=("pwd",), device=Device())
    assert issued is not None
    yield (await auth.verify_credential(issued.access_token)).principal


# Using one


def test_a_key_is_let_in_where_a_scope_of_its_is_named_and_nowhere_else(client: Client) -> None:
    key = create(client)["key"]
    assert status(client, "/orders", key) == 200
    answer = client.get("/read-as-user", headers=bearer(key))
    assert (answer.status_code, answer.json()) == (200, EMAIL)
    assert status(client, "/who", key) == 200
    refused = client.get("/write", headers=bearer(key))
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert 'scope="orders:write"' in refused.headers["www-authenticate"]


def test_without_a_scope_current_user_takes_no_key(client: Client) -> None:
    key = create(client)["key"]
    answer = client.get("/mine", headers=bearer(key))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_a_key_is_no_recent_login(client: Client) -> None:
    answer = client.get("/recent", headers=bearer(create(client)["key"]))
    assert answer.status_code == 401
    assert 'error="insufficient_user_authentication"' in answer.headers["www-authenticate"]


def test_a_key_speaks_for_its_user_and_belongs_to_no_session(client: Client) -> None:
    me = client.get("/auth/me", headers=client.log_in()).json()
    created = create(client)
    told = client.get("/principal", headers=bearer(created["key"])).json()
    assert told == {
        "subject": me["id"],
        "user_id": me["id"],
        "client_id": "first-party",
        "session_id": None,
        "scopes": ["orders:read"],
        "amr": [],
        "auth_time": None,
        "expires_at": created["expires_at"],
    }


ENDPOINTS: list[tuple[str, str, Any, int]] = [
    ("GET", "/auth/me", None, 403),
    ("PATCH", "/auth/me", {"profile": {}}, 403),
    ("DELETE", "/auth/me", None, 401),
    ("POST", "/auth/password/change", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}, 403),
    ("GET", "/auth/sessions", None, 403),
    ("DELETE", "/auth/sessions", None, 403),
    ("DELETE", "/auth/sessions?everywhere=true", None, 403),
    ("DELETE", "/auth/sessions/01900000-0000-7000-8000-000000000000", None, 403),
    ("POST", "/auth/logout", None, 404),
    ("GET", "/auth/api-keys", None, 403),
    ("POST", "/auth/api-keys", {"name": "x", "scopes": ["orders:read"]}, 401),
    ("DELETE", "/auth/api-keys/01900000-0000-7000-8000-000000000000", None, 403),
]


def test_no_endpoint_of_the_account_takes_a_key(client: Client) -> None:
    login = client.log_in()
    key = create(client, scopes=["orders:read", "orders:write"])["key"]
    for method, path, body, expected in ENDPOINTS:
        answer = client.request(method, path, json=body, headers=bearer(key))
        assert answer.status_code == expected, (method, path, answer.text)
        assert client.get("/mine", headers=login).status_code == 200
    assert len(client.get("/auth/api-keys", headers=login).json()["items"]) == 1


def test_no_endpoint_of_ours_takes_a_key_not_even_an_admins(client: Client, auth: Watchword[Any]) -> None:
    """Whatever endpoint is added is tried here."""
    call(client, auth.roles.give, call(client, auth.users.find, EMAIL).id, "admin")
    key = create(client, scopes=["orders:read", "orders:write"])["key"]
    answers = {
        (method.upper(), path): client.request(
            method, re.sub(r"{\w+}", "01900000-0000-7000-8000-000000000000", path), headers=bearer(key)
        ).status_code
        for path, operations in app_of_another(auth).openapi()["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/auth/") and "security" in operation and not path.startswith("/auth/admin/")
    }
    assert len(answers) >= len(ENDPOINTS) - 1
    assert answers.pop(("POST", "/auth/logout")) == 404
    assert set(answers.values()) <= {401, 403}, answers


def app_of_another(auth: Watchword[Any]) -> FastAPI:
    """The same app, only to be asked for its document."""
    return app_of(Watchword(auth.settings, scopes=auth.scopes))


def test_revocation_and_introspection_know_no_keys(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(TokenRevoked, heard.append)
    login, key = client.log_in(), create(client)["key"]
    assert client.post("/auth/revoke", data={"token": key}).status_code == 200
    assert heard == []
    assert client.post("/auth/introspect", data={"token": key}, headers=login).json() == {"active": False}
    token = login["Authorization"].removeprefix("Bearer ")
    answer = client.post("/auth/introspect", data={"token": token}, headers=bearer(key))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert "active" not in answer.json()
    assert status(client, "/orders", key) == 200


def test_a_key_is_no_password_and_no_refresh_token(client: Client) -> None:
    key = create(client)["key"]
    assert client.post("/auth/refresh", json={"refresh_token": key}).status_code == 400
    assert client.ask_token(password=key).status_code == 400


def test_a_remembered_key_asks_the_database_nothing(database_url: str) -> None:
    settings = make_settings(database_url, revocation_staleness="1m")  # whatever else the machine has to do
    auth: Watchword[Any] = Watchword(settings, scopes=SCOPES)
    with Client(app_of(auth)) as client:
        client.sign_up()
        key = create(client)["key"]
        before = auth.verify_credential.hits
        with statements(auth) as seen:
            assert status(client, "/orders", key) == 200
            assert len(seen) == 1, "the key and its owner are one query"
            for _ in range(20):
                assert status(client, "/orders", key) == 200
            assert len(seen) == 1
        assert auth.verify_credential.hits - before == 20


def test_a_spoiled_key_is_refused_without_a_query(client: Client, auth: Watchword[Any]) -> None:
    key = create(client)["key"]
    spoiled = {
        "cut": key[:-1],
        "longer": key + "A",
        "mistyped": key[:10] + ("A" if key[10] != "A" else "B") + key[11:],
        "another case": key.swapcase(),
        "empty": "wwk_",
        "no base64": key[:10] + "é" + key[11:],
        "padded": key[:-1] + "=",
        "very long": key * 100,
    }
    with statements(auth) as seen:
        for how, text in spoiled.items():
            answer = client.get("/orders", headers={b"Authorization": b"Bearer " + text.encode("latin-1")})
            assert answer.status_code == 401, how
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert seen == []


def test_a_well_formed_key_that_nobody_made_is_refused(client: Client) -> None:
    assert_ended(client, opaque_tokens.new("wwk_"))
    assert_ended(client, opaque_tokens.new("wws_"))


def test_row_15_a_key_in_the_query_string_is_not_looked_at(client: Client) -> None:
    key = create(client)["key"]
    assert client.get("/orders", params={"access_token": key}).headers["www-authenticate"] == "Bearer"


def test_a_socket_takes_a_key_and_is_closed_when_it_is_revoked(client: Client) -> None:
    created = create(client)
    with client.websocket_connect("/live", subprotocols=["bearer", created["key"]]) as socket:
        assert socket.receive_text() == "open"
        client.delete(f"/auth/api-keys/{created['id']}", headers=client.log_in())
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 4401


# The end of one


@on_both
def test_row_19_a_revoked_key_is_out_at_once_and_no_other(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(ApiKeyRevoked, heard.append)
    gone, kept = create(client), create(client)
    assert status(client, "/orders", gone["key"]) == status(client, "/orders", kept["key"]) == 200
    headers = client.log_in()
    answer = client.delete(f"/auth/api-keys/{gone['id']}", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert_ended(client, gone["key"])
    assert status(client, "/orders", kept["key"]) == 200
    assert [item["id"] for item in client.get("/auth/api-keys", headers=headers).json()["items"]] == [kept["id"]]
    again = client.delete(f"/auth/api-keys/{gone['id']}", headers=headers)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    assert len(heard) == 1


def test_the_key_of_somebody_else_is_not_found(client: Client) -> None:
    created = create(client)
    client.sign_up("mallory@example.com")
    mallory = client.log_in("mallory@example.com")
    for key_id in (created["id"], "01900000-0000-7000-8000-000000000000"):
        answer = client.delete(f"/auth/api-keys/{key_id}", headers=mallory)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.get("/auth/api-keys", headers=mallory).json()["items"] == []
    assert status(client, "/orders", created["key"]) == 200


@on_both
@pytest.mark.parametrize("is_remembered", [True, False])
def test_row_7_a_key_expires(client: Client, auth: Watchword[Any], is_remembered: bool) -> None:
    created = create(client, expires_in=1 if is_remembered else "1d")
    if is_remembered:
        assert status(client, "/orders", created["key"]) == 200
        call(client, asyncio.sleep, 1.05)
    else:
        call(client, lambda: change(auth, created["id"], expires_at=datetime.now(UTC) - timedelta(milliseconds=1)))
    assert_ended(client, created["key"])
    assert client.get("/auth/api-keys", headers=client.log_in()).json()["items"] == []


@pytest.mark.anyio
async def test_row_19_what_one_process_ends_is_ended_in_another(start: Start, database_url: str) -> None:
    async with start(database_url) as here, start(database_url, revocation_staleness="4") as there:
        created = {}
        for how in ("nothing", "revoke", "disable", "delete", "password"):
            user = await here.users.create(f"{how}@example.com", PASSWORD)
            created[how] = await here.api_keys.create(user.id, how, scopes=["orders:read"])
            for _ in range(2):
                assert (await there.verify_credential(created[how].secret)).principal.user_id == user.id
        assert (there.verify_credential.hits, there.verify_credential.misses) == (5, 5)

        users = {how: made.key.user_id for how, made in created.items()}
        await here.api_keys.revoke(created["revoke"].key.id)
        await here.users.disable(users["disable"])
        await here.users.delete(users["delete"])
        await here.use_cases.change_password(PasswordChange(users["password"], PASSWORD, NEW_PASSWORD))
        ended_at = time.monotonic()
        for how in ("revoke", "disable", "delete", "password"):
            with pytest.raises(InvalidToken):
                await here.verify_credential(created[how].secret)
            while True:
                try:
                    await there.verify_credential(created[how].secret)
                except InvalidToken:
                    break
                assert time.monotonic() < ended_at + 4
                await asyncio.sleep(0.02)
        await there.verify_credential(created["nothing"].secret)


@on_both
@pytest.mark.parametrize("how", ["disable", "delete"])
def test_row_19_the_key_of_a_disabled_or_deleted_user_is_out_at_once(
    client: Client, auth: Watchword[Any], how: str
) -> None:
    key = create(client)["key"]
    assert status(client, "/orders", key) == 200
    user = call(client, auth.users.find, EMAIL)
    call(client, getattr(auth.users, how), user.id)
    assert_ended(client, key)
    if how == "disable":
        call(client, auth.users.enable, user.id)
        assert status(client, "/orders", key) == 200, "it is in force as before"


@on_both
def test_a_new_password_revokes_the_keys_and_a_logout_everywhere_does_not(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(ApiKeyRevoked, heard.append)
    created = create(client)
    assert status(client, "/orders", created["key"]) == 200
    assert client.delete("/auth/sessions", params={"everywhere": "true"}, headers=client.log_in()).status_code == 204
    assert status(client, "/orders", created["key"]) == 200
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/auth/password/change", json=body, headers=client.log_in()).status_code == 204
    assert_ended(client, created["key"])
    assert [event.api_key_id for event in heard if isinstance(event, ApiKeyRevoked)] == [UUID(created["id"])]


def test_a_refused_change_of_the_password_revokes_nothing(client: Client) -> None:
    key = create(client)["key"]
    body = {"current_password": "not the password at all", "new_password": NEW_PASSWORD}
    assert client.post("/auth/password/change", json=body, headers=client.log_in()).status_code == 400
    assert status(client, "/orders", key) == 200


@on_both
def test_a_scope_that_the_owner_lost_is_lost_to_the_key_at_once(client: Client, auth: Watchword[Any]) -> None:
    created = create(client, scopes=["orders:read", "orders:write"])
    key, user_id = created["key"], call(client, auth.users.find, EMAIL).id
    assert status(client, "/write", key) == 200
    call(client, auth.roles.create, "clerk", ["orders:read", "orders:write", "admin"])
    call(client, auth.roles.give, user_id, "clerk")
    call(client, auth.roles.take, user_id, "user")
    assert status(client, "/write", key) == 200
    call(client, auth.roles.set_scopes, "clerk", ["orders:read"])
    assert client.get("/who", headers=bearer(key)).json()["scopes"] == ["orders:read"]
    assert status(client, "/write", key) == 403
    call(client, auth.roles.take, user_id, "clerk")
    assert client.get("/who", headers=bearer(key)).json()["scopes"] == []
    assert status(client, "/orders", key) == 403


def test_a_key_takes_no_more_than_its_owners_roles_allow(client: Client, auth: Watchword[Any]) -> None:
    user_id = call(client, auth.users.find, EMAIL).id
    call(client, auth.roles.create, "clerk", ["orders:read", "admin"])
    call(client, auth.roles.give, user_id, "clerk")
    call(client, auth.roles.take, user_id, "user")
    for scope in ("orders:write", "admin"):
        with pytest.raises(InvalidScope):
            call(client, lambda scope=scope: auth.api_keys.create(user_id, "x", scopes=[scope]))
    admin = client.log_in(scope="admin orders:read")
    assert ask(client, admin, scopes=["orders:read", "admin"]).status_code == 400
    key = ask(client, admin, scopes=["orders:read"]).json()["key"]
    assert status(client, "/clerks", key) == 403, "a key has the scopes of its owner, not the roles"


def test_what_is_reserved_is_never_a_keys_whatever_is_stored(client: Client, auth: Watchword[Any]) -> None:
    created = create(client)
    user_id = call(client, auth.users.find, EMAIL).id
    call(client, auth.roles.give, user_id, "admin")
    call(client, lambda: change(auth, created["id"], scope="orders:read admin openid *"))
    assert client.get("/who", headers=bearer(created["key"])).json()["scopes"] == ["orders:read"]


# The list


@on_both
def test_the_list_comes_in_pages_the_newest_first(client: Client) -> None:
    made = [create(client)["id"] for _ in range(5)]
    headers = client.log_in()
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = client.get("/auth/api-keys", params={"limit": "2", **before}, headers=headers).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == sorted(made, reverse=True)
    for query in ({"limit": "0"}, {"limit": "101"}, {"before": "x"}):
        assert client.get("/auth/api-keys", params=query, headers=headers).status_code == 422


def test_the_last_use_is_kept_without_a_write_per_request(database_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    with Client(app_of(auth)) as client:
        client.sign_up()
        used, unused = create(client), create(client)
        with statements(auth) as seen:
            assert status(client, "/orders", used["key"]) == 200
            call(client, asyncio.sleep, 0.2)
            before = datetime.now(UTC)
            for _ in range(20):
                assert status(client, "/orders", used["key"]) == 200
            after = datetime.now(UTC)
        assert not [statement for statement in seen if not statement.lstrip().upper().startswith("SELECT")]
        assert last_uses(client) == {used["id"]: None, unused["id"]: None}
        call(client, asyncio.sleep, 0.5)
    with Client(app_of(Watchword(make_settings(database_url), scopes=SCOPES))) as client:  # the shutdown wrote it
        uses = last_uses(client)
    assert uses[unused["id"]] is None
    # The last of the uses, neither the first nor the moment it was written.
    assert before - timedelta(seconds=0.1) < datetime.fromisoformat(uses[used["id"]]) < after + timedelta(seconds=0.4)


def last_uses(client: Client) -> dict[str, Any]:
    items = client.get("/auth/api-keys", headers=client.log_in()).json()["items"]
    return {item["id"]: item["last_used_at"] for item in items}


# What is stored and told


@on_both
def test_nothing_that_could_be_presented_is_stored_or_told(
    client: Client, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "watchword")
    heard: list[Event] = []
    auth.on(Event, heard.append)
    created = create(client)
    key = created["key"]
    status(client, "/orders", key)
    status(client, "/orders", key[:-1])
    client.delete(f"/auth/api-keys/{created['id']}", headers=client.log_in())
    status(client, "/orders", key)
    kinds = [type(event) for event in heard if not hasattr(event, "session_id")]
    assert kinds == [ApiKeyCreated, ApiKeyRevoked]
    told = repr(heard) + json.dumps([event.fields() for event in heard]) + caplog.text + call(client, stored, auth)
    assert created["id"] in told
    for secret in (key, key[:-1], key.removeprefix("wwk_"), key[4:40]):
        assert secret not in told
    (made,) = [event for event in heard if isinstance(event, ApiKeyCreated)]
    assert (made.hint, made.scopes, made.client_id) == (f"wwk_…{key[-4:]}", ("orders:read",), None)
    assert made.device.user_agent == "testclient"


# Host code, and keys of clients


def test_host_code_makes_lists_and_revokes_keys(client: Client, auth: Watchword[Any]) -> None:
    user = call(client, auth.users.find, EMAIL)
    made: CreatedApiKey = call(
        client,
        lambda: auth.api_keys.create(user.id, "nightly", scopes={"orders:read"}, expires_in=timedelta(hours=1)),
    )
    assert made.secret not in repr(made)
    assert made.key.expires_at - made.key.created_at == timedelta(hours=1)
    assert status(client, "/orders", made.secret) == 200
    assert call(client, auth.api_keys.list, user.id) == [made.key]
    revoked: ApiKey = call(client, auth.api_keys.revoke, made.key.id)
    assert revoked.id == made.key.id
    assert_ended(client, made.secret)
    with pytest.raises(NotFound):
        call(client, auth.api_keys.revoke, made.key.id)


@pytest.mark.anyio
async def test_host_code_is_told_what_cannot_be(start: Start, database_url: str) -> None:
    async with start(database_url) as auth:
        user = await auth.users.create(EMAIL, PASSWORD)
        create = auth.api_keys.create
        for owner in (UUID(int=0), str(user.id), "nobody", ""):
            with pytest.raises(NotFound):
                await create(owner, "x", scopes=["orders:read"])
        with pytest.raises(InvalidScope):
            await create(user.id, "x", scopes=["admin"])
        with pytest.raises(InvalidInput):
            await create(user.id, "x", scopes=[])
        with pytest.raises(InvalidInput):
            await create(user.id, "x", scopes=["orders:read"], expires_in=timedelta(seconds=-1))
        with pytest.raises(TypeError, match="a list"):
            await create(user.id, "x", scopes="orders:read")
        await auth.users.disable(user.id)
        with pytest.raises(NotFound):
            await create(user.id, "x", scopes=["orders:read"])


@pytest.mark.anyio
async def test_a_clients_key_speaks_for_the_client_and_ends_with_it(start: Start, database_url: str) -> None:
    async with start(database_url) as auth:
        await add_client(auth, "billing", "orders:read admin")
        heard: list[Event] = []
        auth.on(Event, heard.append)
        with pytest.raises(InvalidScope):
            await auth.api_keys.create("billing", "x", scopes=["orders:write"])
        with pytest.raises(InvalidScope):
            await auth.api_keys.create("billing", "x", scopes=["admin"])
        made = await auth.api_keys.create("billing", "cron", scopes=["orders:read"])
        (event,) = heard
        assert isinstance(event, ApiKeyCreated)
        assert (event.client_id, event.user_id) == ("billing", None)
        caller = await auth.verify_credential(made.secret)
        principal = caller.principal
        assert (principal.subject, principal.client_id, principal.user_id) == ("billing", "billing", None)
        assert (principal.scopes, principal.session_id, principal.auth_time) == ({"orders:read"}, None, None)
        assert caller.user() is None
        assert set(caller.keys) == {f"key:{made.key.id}", "client:billing"}
        assert await auth.api_keys.list("billing") == [made.key]

        await _change_client(auth, scope="")
        assert (await auth.verify_credential(made.secret)).principal.scopes == frozenset()
        await _change_client(auth, is_active=False)
        with pytest.raises(InvalidToken):
            await auth.verify_credential(made.secret)
        with pytest.raises(NotFound):
            await auth.api_keys.create("billing", "x", scopes=["orders:read"])


async def _change_client(auth: Watchword[Any], **values: Any) -> None:
    async with auth.open_session.storage.connection(writes=True) as connection:
        await connection.execute(update(client_table).where(client_table.c.id == "billing").values(**values))
    auth.feed._interrupt()  # what was remembered is asked again


@on_both
def test_a_clients_key_is_let_in_where_its_scope_is_named_but_is_no_user(client: Client, auth: Watchword[Any]) -> None:
    call(client, add_client, auth, "billing", "orders:read")
    made = call(client, lambda: auth.api_keys.create("billing", "cron", scopes=["orders:read"]))
    assert status(client, "/orders", made.secret) == 200
    assert status(client, "/read-as-user", made.secret) == 403
    assert status(client, "/mine", made.secret) == 403
    assert client.post("/auth/logout", headers=bearer(made.secret)).status_code == 404
    assert client.post("/auth/introspect", data={"token": made.secret}, headers=bearer(made.secret)).status_code == 401


def test_a_disabled_user_is_not_told_of_twice(client: Client, auth: Watchword[Any]) -> None:
    create(client)
    heard: list[Event] = []
    auth.on(Event, heard.append)
    user = call(client, auth.users.find, EMAIL)
    call(client, auth.users.disable, user.id)
    assert [type(event) for event in heard] == [UserDisabled]
