"""Rows 28, 29, 30 and 40: what clients send that they should not."""

import base64
import time
from typing import Any

import pytest
from tests.attacks.conftest import Refused
from tests.conftest import PASSWORD, Client, on_both
from tests.http.clients import Service, Signer, assertion, basic, call
from tests.partners import log_in_with

from watchword import Watchword

pytestmark = [on_both, pytest.mark.usefixtures("alice")]

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def service(client: Client, auth: Watchword[Any]) -> Service:
    return Service(client, auth)


def test_row_28_scopes_without_end_or_sense(
    client: Client, service: Service, refused_by_token_endpoint: Refused
) -> None:
    refresh_token = client.ask_token().json()["refresh_token"]
    requests: list[dict[str, Any]] = [
        {"data": GRANT, "headers": basic(service.id, service.secret)},
        {"data": {"grant_type": "password", "username": "alice@example.com", "password": PASSWORD}},
        {"data": {"grant_type": "refresh_token", "refresh_token": refresh_token}},
    ]
    scopes = [
        " ".join(f"s{n}" for n in range(100_000)),
        "orders:read " * 10_000,
        "nonsense",
        "orders:read nonsense",
        'orders:read"',
        "orders:read\r\nSet-Cookie: a=b",
        "orders:read\torders:write",
        "orders:read\u00a0orders:write",
        "orders\\read",
        "ORDERS:READ",
        "orders:reаd",  # a Cyrillic а
    ]
    for request in requests:
        for scope in scopes:
            began = time.process_time()
            answer = refused_by_token_endpoint(
                "invalid_scope", **{**request, "data": {**request["data"], "scope": scope}}
            )
            assert time.process_time() - began < 1
            assert not any(word in answer.text for word in ("orders", "nonsense", "s99"))
    assert client.post("/auth/token", **requests[0]).status_code == 200
    assert client.post("/auth/token", **requests[2]).status_code == 200, "nothing was traded"


def test_row_29_two_ways_at_once(service: Service, refused_by_token_endpoint: Refused) -> None:
    header = basic(service.id, service.secret)
    for body in (
        {"client_id": service.id, "client_secret": service.secret},
        {"client_secret": service.secret},
        {"client_id": "another"},
        assertion("x.y.z")["data"],
    ):
        refused_by_token_endpoint("invalid_request", data={**GRANT, **body}, headers=header)


@pytest.mark.parametrize("path", ["/auth/token", "/auth/revoke", "/auth/introspect"])
def test_row_29_a_wrong_secret_or_none_is_one_answer(
    client: Client, auth: Watchword[Any], service: Service, path: str
) -> None:
    stranger, public = Service(client, auth), Service(client, auth, grants=["refresh_token"], auth_method="none")
    disabled = Service(client, auth)
    call(client, auth.clients.disable, disabled.id)
    cut = service.secret[:-1]
    headers: list[dict[str, str]] = [
        basic(service.id, stranger.secret),
        basic(service.id, cut),
        basic(service.id, service.secret.lower()),
        basic(service.id, "wws_" + "A" * 48),
        basic(service.id, "x" * 3000),
        basic("nobody", service.secret),
        basic("' OR 1=1 --", service.secret),
        basic("é" * 300, service.secret),
        basic("first-party", service.secret),
        basic(public.id, service.secret),
        basic(disabled.id, disabled.secret),
        {"Authorization": "Basic " + base64.b64encode(service.secret.encode()).decode()},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic"},
        {"Authorization": f"Digest {service.secret}"},
    ]
    bodies = [
        {"client_id": service.id},
        {"client_id": "nobody"},
        {"client_id": service.id, "client_secret": stranger.secret},
        {"client_id": service.id, "client_secret": service.secret},  # it registered the other way
        {"client_secret": service.secret},
    ]
    requests: list[dict[str, Any]] = [{"headers": each, "data": {}} for each in headers]
    requests += [{"data": body} for body in bodies]
    for request in requests:
        answer = client.post(path, **{**request, "data": {**GRANT, "token": "x", **request["data"]}})
        assert answer.status_code == 401, request
        assert answer.json() == {
            "error": "invalid_client",
            "error_description": "Client authentication failed",
            "detail": "Client authentication failed",
        }
        assert answer.headers["www-authenticate"] == 'Basic realm="watchword"'
        assert answer.headers["cache-control"] == "no-store"
    assert service.ask().status_code == 200


@pytest.mark.parametrize("grant_type", ["password", "refresh_token"])
def test_row_30_a_grant_that_the_client_may_not_use(
    service: Service, refused_by_token_endpoint: Refused, grant_type: str
) -> None:
    form = {"grant_type": grant_type, "username": "alice@example.com", "password": PASSWORD, "refresh_token": "wwr_x"}
    refused_by_token_endpoint("unauthorized_client", data=form, headers=basic(service.id, service.secret))


def test_row_30_a_public_client_has_nothing_to_show_for_itself(
    client: Client, auth: Watchword[Any], refused_by_token_endpoint: Refused
) -> None:
    public = Service(client, auth, grants=["refresh_token"], auth_method="none")
    for form in ({}, {"client_id": ""}, {"client_id": "first-party"}, {"client_id": public.id}):
        refused_by_token_endpoint("unauthorized_client", data={**GRANT, **form})
    refused_by_token_endpoint("unauthorized_client", data=GRANT, headers=basic(public.id, ""))


def test_row_30_a_row_that_says_otherwise_makes_no_public_client_a_service(
    client: Client, auth: Watchword[Any], refused_by_token_endpoint: Refused
) -> None:
    from sqlalchemy import update

    from watchword.storage import tables

    public = Service(client, auth, grants=["refresh_token"], auth_method="none")

    async def write() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(update(tables.client).values(grants="client_credentials"))

    call(client, write)
    refused_by_token_endpoint("unauthorized_client", data={**GRANT, "client_id": public.id})


def tokens_of(client: Client, auth: Watchword[Any], owner: Service) -> dict[str, str]:
    """An access token of its own, and a user's pair."""
    issued = call(client, log_in_with, auth, owner.client, scopes=frozenset({"orders:read"}))
    own = owner.ask().json()["access_token"]
    return {"own": own, "access": issued.access_token, "refresh": issued.refresh_token or ""}


def test_row_40_another_clients_token_is_not_revoked(client: Client, auth: Watchword[Any]) -> None:
    grants = ["client_credentials", "refresh_token"]
    owner, other = Service(client, auth, grants=grants), Service(client, auth, grants=grants)
    public = Service(client, auth, grants=["refresh_token"], auth_method="none")
    tokens = tokens_of(client, auth, owner)
    for token in tokens.values():
        for answer in (
            other.post("/auth/revoke", {"token": token}),
            client.post("/auth/revoke", data={"token": token, "client_id": public.id}),
            client.post("/auth/revoke", data={"token": token}),
        ):
            assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
        assert owner.post("/auth/introspect", {"token": token}).json()["active"] is True
    for name in ("own", "access", "refresh"):
        assert owner.post("/auth/revoke", {"token": tokens[name]}).status_code == 200
        assert owner.post("/auth/introspect", {"token": tokens[name]}).json() == {"active": False}


@pytest.mark.parametrize("token", ["x", "wwr_x", "wws_" + "A" * 48, "eyJhbGciOiJub25lIn0.e30.", "wwr_" + "A" * 80])
def test_row_40_an_unknown_token_is_no_error_and_inactive(service: Service, token: str) -> None:
    assert service.post("/auth/revoke", {"token": token}).status_code == 200
    assert service.post("/auth/introspect", {"token": token}).json() == {"active": False}


def test_row_40_a_client_is_told_of_its_own_tokens_alone(client: Client, auth: Watchword[Any]) -> None:
    grants = ["client_credentials", "refresh_token"]
    owner, other = Service(client, auth, grants=grants), Service(client, auth, grants=grants)
    tokens = tokens_of(client, auth, owner)
    users = client.ask_token().json()
    for token in (*tokens.values(), users["access_token"], users["refresh_token"]):
        assert other.post("/auth/introspect", {"token": token}).json() == {"active": False}
    told = owner.post("/auth/introspect", {"token": tokens["own"]}).json()
    assert (told["active"], told["sub"], told["client_id"]) == (True, owner.id, owner.id)
    assert (told["scope"], told["token_type"]) == ("orders:read orders:write", "Bearer")
    assert not {"sid", "amr", "auth_time", "username"} & set(told)
    told = owner.post("/auth/introspect", {"token": tokens["access"]}).json()
    assert (told["username"], told["client_id"], told["scope"]) == ("alice@example.com", owner.id, "orders:read")
    assert owner.post("/auth/introspect", {"token": tokens["refresh"]}).json()["active"] is True
    by_token = client.post(
        "/auth/introspect", data={"token": tokens["own"]}, headers={"Authorization": f"Bearer {tokens['own']}"}
    )
    assert by_token.json()["client_id"] == owner.id


def test_row_40_who_is_not_authenticated_learns_nothing(client: Client, auth: Watchword[Any]) -> None:
    owner = Service(client, auth)
    public = Service(client, auth, grants=["refresh_token"], auth_method="none")
    issued = call(client, log_in_with, auth, public.client)
    signer = Signer()
    signing = Service(client, auth, auth_method="private_key_jwt", jwks=signer.public_jwk)
    for form in ({}, {"client_id": "first-party"}, {"client_id": owner.id}, {"client_id": public.id},
                 assertion(Signer().sign(signing.id))["data"]):  # fmt: skip
        for token in (owner.ask().json()["access_token"], issued.access_token, "x"):
            answer = client.post("/auth/introspect", data={"token": token, **form})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    own = client.post("/auth/revoke", data={"token": issued.access_token, "client_id": public.id})
    assert own.status_code == 200, "but a public client may revoke what it has"
    assert client.get("/who", headers={"Authorization": f"Bearer {issued.access_token}"}).status_code == 401
    good = signing.post("/auth/introspect", {"token": "x"}, **assertion(signer.sign(signing.id)))
    assert good.json() == {"active": False}
