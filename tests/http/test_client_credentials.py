"""A service gets a token for itself by each way of authenticating, and guards know it for what it is."""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sql
from tests.conftest import SCOPES, Client, make_app, make_settings
from tests.http.clients import ISSUER, Service, basic, call, claims_of
from tests.partners import log_in_with

from watchword import Watchword, requires_recent_login
from watchword.events import ClientRefused, ClientTokenIssued, ClientTokenRevoked, Event


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url), scopes=SCOPES)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    app = make_app(auth)

    @app.get("/fresh", dependencies=[requires_recent_login()])
    async def fresh() -> None: ...

    with Client(app) as client:
        yield client


@pytest.fixture
def service(client: Client, auth: Watchword[Any]) -> Service:
    return Service(client, auth)


def statements(auth: Watchword[Any]) -> list[str]:
    """What is sent to the database through the pool from here on; the feed has a connection of its own."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sql.listen(auth.open_session.storage.engine.sync_engine, "before_cursor_execute", note)
    return sent


# The token


def test_a_token_for_another_resource_is_for_that_one_alone(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth, resources=["https://api.example"])
    token = service.ask(resource="https://api.example").json()["access_token"]
    assert claims_of(token)["aud"] == "https://api.example"
    assert client.get("/who", headers={"Authorization": f"Bearer {token}"}).status_code == 401, "ours is another"
    seen = service.post("/auth/introspect", {"token": token}).json()
    assert (seen["active"], seen["aud"]) == (True, "https://api.example")
    assert service.post("/auth/revoke", {"token": token}).status_code == 200
    assert service.post("/auth/introspect", {"token": token}).json() == {"active": False}
    assert claims_of(service.ask().json()["access_token"])["aud"] == ISSUER


def test_a_resource_that_nobody_registered_is_refused(client: Client, service: Service) -> None:
    """RFC 8707 §2: no token is better than one that is good elsewhere."""
    refused = service.ask(resource="https://elsewhere.example")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")
    client.sign_up()
    refused = client.ask_token(resource="https://elsewhere.example")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_target")


def test_a_service_gets_a_token_in_which_it_speaks_for_itself(service: Service) -> None:
    answer = service.ask()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 900, "orders:read orders:write")
    claims = claims_of(body["access_token"])
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"}
    assert claims["sub"] == claims["client_id"] == service.id
    assert (claims["iss"], claims["aud"], claims["exp"] - claims["iat"]) == (ISSUER, ISSUER, 900)


def test_guards_take_it_for_a_principal_and_never_for_a_user(client: Client, service: Service) -> None:
    headers = service.bearer()
    for _ in range(2):  # verified, then remembered
        assert client.get("/who", headers=headers).json() == {
            "subject": service.id, "scopes": ["orders:read", "orders:write"]}  # fmt: skip
        assert client.get("/orders", headers=headers).json() == ["an order"]
        for answer in (client.get("/mine", headers=headers), client.get("/auth/me", headers=headers),
                       client.get("/auth/sessions", headers=headers)):  # fmt: skip
            assert answer.status_code == 403
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert client.get("/fresh", headers=headers).status_code == 401
        assert client.post("/auth/logout", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("orders:read", "orders:read"),
        ("orders:read admin", "admin orders:read"),
        ("orders:write orders:read", "orders:read"),
        ("openid orders:read", "orders:read"),
        (None, "orders:read"),
        ("", "orders:read"),
    ],
)
def test_what_is_granted_is_what_was_asked_for_and_may_be_had(
    client: Client, auth: Watchword[Any], asked: str | None, granted: str
) -> None:
    service = Service(client, auth, scopes=["orders:read", "admin", "openid", "not-declared"])
    answer = service.ask(**({} if asked is None else {"scope": asked}))
    assert answer.json()["scope"] == granted


@pytest.mark.parametrize("asked", ["orders:write", "openid", "not-declared", "orders:read unknown"])
def test_nothing_left_or_unknown_is_an_invalid_scope(client: Client, auth: Watchword[Any], asked: str) -> None:
    service = Service(client, auth, scopes=["orders:read", "openid", "not-declared"])
    answer = service.ask(scope=asked)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_client_without_scopes_gets_a_token_that_only_says_who_it_is(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth, scopes=())
    assert service.ask().json()["scope"] == ""
    headers = service.bearer()
    assert client.get("/who", headers=headers).status_code == 200
    assert client.get("/orders", headers=headers).status_code == 403


def test_a_client_may_have_tokens_with_a_life_of_their_own(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth, access_token_lifetime=timedelta(hours=12))
    body = service.ask().json()
    claims = claims_of(body["access_token"])
    assert body["expires_in"] == claims["exp"] - claims["iat"] == 43200


def test_a_token_that_names_a_client_and_no_session_must_be_that_clients(
    client: Client, auth: Watchword[Any], service: Service
) -> None:
    from tests.attacks.forge import Forge

    client.sign_up()
    forge = Forge(auth, client.ask_token().json()["access_token"])
    own = {"sid": ..., "auth_time": ..., "amr": ..., "epoch": ..., "sub": service.id, "client_id": service.id}
    user = forge.claims["sub"]
    for claims, status in (
        (own, 200),
        ({**own, "sub": user}, 401),
        ({**own, "sub": user, "client_id": user}, 401),
        ({**own, "client_id": "first-party"}, 401),
        ({**own, "sub": "first-party", "client_id": "first-party"}, 401),
        ({**own, "scope": ...}, 401),
        ({**own, "scope": ["orders:read"]}, 401),
        ({**own, "sid": ""}, 401),
        ({**own, "sid": None}, 401),
        ({"sid": ...}, 401),
    ):
        answer = client.get("/who", headers={"Authorization": f"Bearer {forge.token(claims=claims)}"})
        assert answer.status_code == status, claims


# How it authenticates


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_comes_the_way_that_was_registered_and_no_other(
    client: Client, auth: Watchword[Any], method: str
) -> None:
    service = Service(client, auth, auth_method=method)
    grant = {"grant_type": "client_credentials"}
    in_body: dict[str, Any] = {"data": {**grant, "client_id": service.id, "client_secret": service.secret}}
    in_header: dict[str, Any] = {"data": grant, "headers": basic(service.id, service.secret)}
    named_twice: dict[str, Any] = {
        "data": {**grant, "client_id": service.id},
        "headers": basic(service.id, service.secret),
    }
    good, bad = ([in_header, named_twice], [in_body]) if "basic" in method else ([in_body], [in_header, named_twice])
    for request in good:
        assert client.post("/auth/token", **request).status_code == 200
    for request in bad:
        answer = client.post("/auth/token", **request)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_client_that_was_authenticated_before_costs_no_query(
    auth: Watchword[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth.open_session.storage, "direct", None)  # the way past the pool, which nobody sees
    service.bearer()
    sent = statements(auth)
    for _ in range(3):
        service.bearer()
    assert sent == []
    assert service.post("/auth/token", {}, headers=basic(service.id, "wws_x")).status_code in {400, 401}
    assert sent == [], "what cannot be a secret asks nobody"


def test_no_scope_makes_a_service_an_administrator(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth, scopes=["admin", "orders:read"])
    headers = service.bearer(scope="admin")
    assert client.get("/who", headers=headers).json()["scopes"] == ["admin"]
    for path in ("/auth/admin/users", "/auth/admin/roles", "/auth/admin/events", "/auth/api-keys"):
        assert client.get(path, headers=headers).status_code == 403, path


def test_nothing_is_remembered_where_that_is_switched_off(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, remembered_tokens=0), scopes=SCOPES)
    with Client(make_app(auth)) as client:
        service = Service(client, auth)
        sent = statements(auth)
        for _ in range(2):
            service.bearer()
        assert len(sent) == 4, "each reads the client and its addresses"


# What ends it


@pytest.mark.parametrize("how", ["disable", "delete"])
def test_row_19_a_disabled_or_deleted_client_is_out_at_once(
    client: Client, auth: Watchword[Any], service: Service, how: str
) -> None:
    headers = service.bearer()
    assert client.get("/who", headers=headers).status_code == 200
    call(client, getattr(auth.clients, how), service.id)
    assert client.get("/who", headers=headers).status_code == 401
    refused = service.ask()
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    if how == "disable":
        call(client, auth.clients.enable, service.id)
        assert client.get("/who", headers=headers).status_code == 200
        assert service.ask().status_code == 200


def test_a_scope_that_a_client_lost_is_gone_from_the_tokens_it_has(
    client: Client, auth: Watchword[Any], service: Service
) -> None:
    headers = service.bearer()
    assert client.get("/orders", headers=headers).status_code == 200
    call(client, auth.clients.change, service.id, scopes=["orders:write"])
    assert client.get("/orders", headers=headers).status_code == 403
    assert client.get("/who", headers=headers).json()["scopes"] == ["orders:write"]
    assert service.ask().json()["scope"] == "orders:write"


def test_row_19_a_revoked_token_of_a_client_ends_alone(client: Client, auth: Watchword[Any], service: Service) -> None:
    heard: list[Event] = []
    auth.on(ClientTokenRevoked, heard.append)
    one, other = service.bearer(), service.bearer()
    for headers in (one, other):
        assert client.get("/who", headers=headers).status_code == 200
    token = one["Authorization"].removeprefix("Bearer ")
    assert service.post("/auth/revoke", {"token": token}).status_code == 200
    assert client.get("/who", headers=one).status_code == 401
    assert client.get("/who", headers=other).status_code == 200
    assert [event.fields()["token_id"] for event in heard] == [claims_of(token)["jti"]]


def test_what_a_user_gave_a_client_ends_while_the_client_is_disabled(client: Client, auth: Watchword[Any]) -> None:
    client.sign_up()
    partner = Service(client, auth, grants=["refresh_token"], auth_method="client_secret_post")
    issued = call(client, log_in_with, auth, partner.client, scopes=frozenset({"orders:read"}))
    assert issued.refresh_token is not None
    headers = {"Authorization": f"Bearer {issued.access_token}"}
    first_party = client.log_in()

    def ask_refresh() -> int:
        form = {"grant_type": "refresh_token", "refresh_token": issued.refresh_token or ""}
        status: int = partner.post("/auth/token", form).status_code
        return status

    assert client.get("/orders", headers=headers).status_code == 200
    call(client, auth.clients.disable, partner.id)
    assert client.get("/orders", headers=headers).status_code == 401
    assert ask_refresh() == 401
    assert client.get("/mine", headers=first_party).status_code == 200
    call(client, auth.clients.enable, partner.id)
    assert client.get("/orders", headers=headers).status_code == 200
    assert ask_refresh() == 200
    call(client, auth.clients.delete, partner.id)
    assert client.get("/orders", headers=headers).status_code == 401


def test_the_sessions_of_a_client_may_have_shorter_lives_and_no_longer_ones(
    client: Client, auth: Watchword[Any]
) -> None:
    client.sign_up()
    for wanted, expected in ((timedelta(minutes=2), 120), (timedelta(hours=5), 900)):
        partner = Service(client, auth, grants=["refresh_token"], auth_method="client_secret_post",
                          access_token_lifetime=wanted, refresh_idle_lifetime=timedelta(hours=1))  # fmt: skip
        issued = call(client, log_in_with, auth, partner.client)
        assert issued.expires_in == expected
        form = {"grant_type": "refresh_token", "refresh_token": issued.refresh_token or ""}
        refreshed = partner.post("/auth/token", form).json()
        assert refreshed["expires_in"] == expected
        told = partner.post("/auth/introspect", {"token": refreshed["refresh_token"]}).json()
        assert 3590 < told["exp"] - time.time() < 3610


def test_what_happened_is_told_and_no_secret_with_it(
    client: Client, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "watchword")
    heard: list[Event] = []
    auth.on(Event, heard.append)
    service = Service(client, auth)
    service.bearer()
    wrong = service.secret[:-1] + ("A" if service.secret[-1] != "A" else "B")
    service.post("/auth/token", {"grant_type": "client_credentials"}, headers=basic(service.id, wrong))
    stranger = Service(client, auth)
    service.post("/auth/token", {"grant_type": "client_credentials"}, headers=basic(service.id, stranger.secret))
    assert [event.name() for event in heard] == [
        "client_created", "client_token_issued", "client_refused", "client_created", "client_refused"]  # fmt: skip
    assert isinstance(heard[1], ClientTokenIssued)
    assert heard[1].device.address == "testclient"
    assert isinstance(heard[4], ClientRefused)
    assert service.id in heard[4].reason
    for secret in (service.secret, wrong, stranger.secret):
        assert secret not in caplog.text + repr(heard)
