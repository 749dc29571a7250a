"""How often one network may ask: 429 before anything is hashed or read, in the shape of the endpoint."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.addresses import FROM, AddressFromHeader, at

from watchword import Watchword
from watchword.crypto import opaque_tokens
from watchword.model import API_KEY_PREFIX

HERE, THERE = "192.0.2.1", "192.0.2.2"
RATES = {
    "rate_logins": "3/minute",
    "rate_refreshes": "4/minute",
    "rate_sign_ups": "3/hour",
    "rate_failures": "2/minute",
}


@pytest.fixture
def auth(sqlite_url: str) -> Watchword[Any]:
    return Watchword(make_settings(sqlite_url, rate_limits=True, **RATES), scopes=SCOPES)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(AddressFromHeader(make_app(auth)), headers={FROM: HERE}) as client:
        yield client


def statuses(ask: Callable[[], Any], times: int) -> list[int]:
    return [ask().status_code for _ in range(times)]


def test_logins_of_one_address_are_limited_and_those_of_another_are_not(client: Client) -> None:
    at(client, THERE).sign_up()
    assert statuses(client.ask_token, 5) == [200, 200, 200, 429, 429]
    assert at(client, THERE).ask_token().status_code == 200


def test_oauth_endpoints_say_so_as_oauth_does_and_others_in_json(client: Client) -> None:
    refused = [client.ask_token() for _ in range(4)][-1]
    text = "Too many requests, try again later"
    assert refused.json() == {"error": "too_many_requests", "error_description": text, "detail": text}
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Cache-Control"] == "no-store"
    signed_up = [client.post("/auth/users", json={"email": "x", "password": "x"}) for _ in range(4)][-1]
    assert (signed_up.status_code, signed_up.json()) == (429, {"detail": text, "code": "too_many_requests"})
    assert 3000 < int(signed_up.headers["Retry-After"]) <= 3600


def test_who_is_refused_costs_no_hash_and_no_query(client: Client, auth: Watchword[Any]) -> None:
    from sqlalchemy import event

    statuses(client.ask_token, 3)
    statements: list[str] = []
    engine = auth.open_session.storage.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: statements.append(statement))
    hashing = auth.use_cases.register.hashing
    hashing.close()  # who hashes now fails
    assert client.ask_token().status_code == 429
    assert statements == []


def test_the_right_password_does_not_free_a_network(client: Client) -> None:
    client.sign_up()
    statuses(client.ask_token, 3)
    assert client.ask_token().status_code == 429


def test_refreshes_are_counted_apart_whichever_way_they_come(client: Client) -> None:
    client.sign_up()
    token = client.ask_token().json()["refresh_token"]

    def in_json() -> Any:
        return client.post("/auth/refresh", json={"refresh_token": token})

    def as_oauth() -> Any:
        return client.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})

    assert statuses(in_json, 2) + statuses(as_oauth, 2) == [200] * 4
    assert (in_json().status_code, as_oauth().status_code) == (429, 429)
    assert client.ask_token().status_code == 200


def test_a_change_of_password_and_logins_are_counted_apart(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    body = {"current_password": "wrong", "new_password": "another long watchword"}
    assert statuses(lambda: client.post("/auth/password/change", json=body, headers=headers), 4) == [400] * 3 + [429]
    assert client.ask_token().status_code == 200


def test_clients_that_fail_to_authenticate_are_refused_and_those_that_do_not_fail_are_not_counted(
    client: Client, auth: Watchword[Any]
) -> None:
    async def register() -> Any:
        return await auth.clients.create("a service", grants={"client_credentials"}, scopes={"orders:read"})

    assert client.portal is not None
    registered, secret = client.portal.call(register)
    assert secret is not None
    good, bad = (registered.id, secret.value), (registered.id, "wws_wrong")
    form = {"grant_type": "client_credentials"}
    assert statuses(lambda: client.post("/auth/token", data=form, auth=good), 6) == [200] * 6
    asks = {"/auth/token": form, "/auth/introspect": {"token": "x"}, "/auth/revoke": {"token": "x"}}
    assert [client.post(path, data=asks[path], auth=bad).status_code for path in asks] == [401] * 3
    for path, fields in asks.items():
        answer = client.post(path, data=fields, auth=good)
        assert (answer.status_code, answer.json()["error"]) == (429, "too_many_requests")
    assert at(client, THERE).post("/auth/token", data=form, auth=good).status_code == 200
    client.sign_up()
    assert client.ask_token().status_code == 200  # the app's own login is no client that fails


def test_api_keys_that_there_are_not_are_refused_and_remembered_ones_pass(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    key = client.post("/auth/api-keys", json={"name": "x", "scopes": ["orders:read"]}, headers=headers).json()["key"]
    good = {"Authorization": f"Bearer {key}"}
    assert client.get("/orders", headers=good).status_code == 200

    def guess() -> Any:
        return client.get("/orders", headers={"Authorization": f"Bearer {opaque_tokens.new(API_KEY_PREFIX)}"})

    assert statuses(guess, 5) == [401, 401, 401, 429, 429]
    assert int(guess().headers["Retry-After"]) > 0
    assert client.get("/orders", headers=good).status_code == 200
    assert client.get("/mine", headers=headers).status_code == 200


def test_row_40_addresses_of_one_ipv6_network_are_one_client(client: Client) -> None:
    asked = [at(client, f"2001:db8:1:2:{n:x}::{n:x}").ask_token().status_code for n in range(1, 6)]
    assert asked == [400, 400, 400, 429, 429]
    assert at(client, "2001:db8:1:3::1").ask_token().status_code == 400


def test_row_40_a_forwarded_address_is_not_believed_of_anybody(client: Client) -> None:
    forged = ({"X-Forwarded-For": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}"} for n in range(5))
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    asked = [client.post("/auth/token", data=form, headers=headers).status_code for headers in forged]
    assert asked == [400, 400, 400, 429, 429]


def test_clients_without_an_address_share_one_limit(client: Client) -> None:
    nowhere = at(client, "")
    assert statuses(nowhere.ask_token, 4) == [400, 400, 400, 429]
    assert client.ask_token().status_code == 400


def test_limits_can_be_switched_off(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, rate_limits=False, **RATES))
    with Client(make_app(auth)) as client:
        assert statuses(client.ask_token, 5) == [400] * 5


def test_the_token_endpoint_documents_429(auth: Watchword[Any]) -> None:
    paths = make_app(auth).openapi()["paths"]
    for path in ("token", "refresh", "users", "password/change", "introspect", "revoke"):
        assert "429" in paths[f"/auth/{path}"]["post"]["responses"], path


def test_what_is_refused_is_counted(auth: Watchword[Any]) -> None:
    from prometheus_client import CollectorRegistry

    from watchword.metrics import Metrics

    metrics = Metrics(auth, CollectorRegistry())
    with TestClient(make_app(auth)) as client:
        form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
        for _ in range(5):
            client.post("/auth/token", data=form)
        exposed = metrics.exposition().decode()
        assert 'watchword_limited_total{what="password"} 2.0' in exposed
        assert metrics.exposition().decode().count("watchword_limited_total{") == 1
