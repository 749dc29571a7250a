"""Clients are registered, changed, rotated and removed; what they may be is checked in one place."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import SCOPES, Client, on_both
from tests.http.clients import Service, Signer, basic, call

from watchword import InvalidInput, NotFound, Watchword
from watchword.events import Event
from watchword.model import ClientAuthMethod

pytestmark = on_both

GRANT = {"grant_type": "client_credentials"}


def test_what_was_registered_comes_back_as_it_was(client: Client, auth: Watchword[Any]) -> None:
    uris = ["https://app.example/callback", "http://127.0.0.1:8000/callback?a=b"]
    made, secret = call(
        client, auth.clients.create, "Shop “α”", grants=["authorization_code", "refresh_token"],
        scopes=["orders:read"], redirect_uris=uris, auth_method="client_secret_post",
        access_token_lifetime=timedelta(minutes=5), refresh_idle_lifetime=timedelta(days=2),
    )  # fmt: skip
    assert call(client, auth.clients.get, made.id) == made
    assert (made.name, made.is_public, made.is_active) == ("Shop “α”", False, True)
    assert made.redirect_uris == set(uris)
    assert made.auth_method is ClientAuthMethod.POST
    assert made.created_at is not None
    assert secret is not None
    assert secret.value.startswith("wws_")
    assert secret.value not in repr(secret)
    (stored,) = call(client, auth.clients.secrets, made.id)
    assert (stored.id, stored.expires_at) == (secret.id, None)


def test_nothing_that_is_stored_would_authenticate(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth)

    async def everything() -> str:
        from sqlalchemy import select

        from watchword.storage.tables import client_secret

        async with auth.open_session.storage.connection() as connection:
            return repr((await connection.execute(select(client_secret))).all())

    assert service.secret not in call(client, everything)


def test_a_client_that_needs_no_secret_gets_none(client: Client, auth: Watchword[Any]) -> None:
    signer = Signer()
    for fields in (
        {"auth_method": "none", "grants": ["refresh_token"]},
        {"auth_method": "private_key_jwt", "grants": ["client_credentials"], "jwks": signer.public_jwk},
    ):
        made, secret = call(client, auth.clients.create, "x", **fields)
        assert secret is None
        with pytest.raises(InvalidInput, match="without a secret"):
            call(client, auth.clients.add_secret, made.id)
    assert made.jwks == {"keys": [{name: signer.public_jwk[name] for name in ("kty", "alg", "crv", "x", "y", "kid")}]}


def test_clients_come_in_pages_in_the_order_they_were_registered(client: Client, auth: Watchword[Any]) -> None:
    made = [Service(client, auth).id for _ in range(5)]
    seen: list[str] = []
    while page := call(client, auth.clients.page, after=seen[-1] if seen else None, limit=2):
        seen += [each.id for each in page]
    assert seen == made


def test_a_secret_is_rotated_without_a_moment_in_which_none_is_good(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth)
    assert service.ask().status_code == 200, "it is remembered from here on"
    (old,) = call(client, auth.clients.secrets, service.id)
    new = call(client, auth.clients.add_secret, service.id)
    for secret in (service.secret, new.value):
        assert client.post("/auth/token", data=GRANT, headers=basic(service.id, secret)).status_code == 200
    with pytest.raises(InvalidInput, match="two secrets already"):
        call(client, auth.clients.add_secret, service.id)
    call(client, auth.clients.remove_secret, service.id, old.id)
    assert client.post("/auth/token", data=GRANT, headers=basic(service.id, service.secret)).status_code == 401
    assert client.post("/auth/token", data=GRANT, headers=basic(service.id, new.value)).status_code == 200
    with pytest.raises(NotFound):
        call(client, auth.clients.remove_secret, service.id, old.id)
    with pytest.raises(NotFound):
        call(client, auth.clients.remove_secret, Service(client, auth).id, new.id)


def test_a_secret_with_a_life_ends_by_itself(
    client: Client, auth: Watchword[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(client, auth)
    with pytest.raises(InvalidInput):
        call(client, auth.clients.add_secret, service.id, lifetime=timedelta(0))
    secret = call(client, auth.clients.add_secret, service.id, lifetime=timedelta(seconds=60))
    assert secret.expires_at is not None
    headers = basic(service.id, secret.value)
    assert client.post("/auth/token", data=GRANT, headers=headers).status_code == 200
    authenticate = auth.use_cases.authenticate_client
    later = secret.expires_at.timestamp() + 1
    monkeypatch.setattr(authenticate, "_clock", lambda: later)
    assert client.post("/auth/token", data=GRANT, headers=headers).status_code == 401
    assert service.ask().status_code == 200


def test_an_expired_secret_makes_room_for_the_next(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth)
    call(client, auth.clients.add_secret, service.id, lifetime=timedelta(milliseconds=1))
    new = call(client, auth.clients.add_secret, service.id)
    assert [secret.id for secret in call(client, auth.clients.secrets, service.id)][-1] == new.id
    assert client.post("/auth/token", data=GRANT, headers=basic(service.id, new.value)).status_code == 200


def test_a_client_that_signs_from_now_on_has_no_secret_any_more(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth)
    jwks = Signer().public_jwk
    call(client, auth.clients.change, service.id, auth_method="private_key_jwt", jwks=jwks)
    assert call(client, auth.clients.secrets, service.id) == []
    call(client, auth.clients.change, service.id, auth_method="client_secret_basic", jwks=None)
    assert service.ask().status_code == 401
    new = call(client, auth.clients.add_secret, service.id)
    assert client.post("/auth/token", data=GRANT, headers=basic(service.id, new.value)).status_code == 200


def test_a_change_keeps_what_it_does_not_name(client: Client, auth: Watchword[Any]) -> None:
    service = Service(client, auth, access_token_lifetime=timedelta(hours=1))
    call(client, auth.clients.disable, service.id)
    changed = call(client, auth.clients.change, service.id, name="Renamed")
    assert (changed.name, changed.is_active, changed.scopes) == ("Renamed", False, frozenset(SCOPES))
    assert changed.access_token_lifetime == timedelta(hours=1)
    assert call(client, auth.clients.get, service.id) == changed
    changed = call(client, auth.clients.change, service.id, access_token_lifetime=None, scopes=[])
    assert (changed.access_token_lifetime, changed.scopes) == (None, frozenset())
    with pytest.raises(InvalidInput):
        call(client, auth.clients.change, service.id, name="Again", grants=["password"])
    assert call(client, auth.clients.get, service.id) == changed


def test_what_is_not_there_is_not_found(client: Client, auth: Watchword[Any]) -> None:
    calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (auth.clients.change, {"name": "x"}), (auth.clients.disable, {}), (auth.clients.enable, {}),
        (auth.clients.delete, {}), (auth.clients.secrets, {}), (auth.clients.add_secret, {}),
    ]  # fmt: skip
    for method, fields in calls:
        with pytest.raises(NotFound):
            call(client, method, "nobody", **fields)
    assert call(client, auth.clients.get, "nobody") is None
    assert call(client, auth.clients.get, "first-party") is None


def test_each_step_is_told_once(client: Client, auth: Watchword[Any]) -> None:
    heard: list[Event] = []
    auth.on(Event, heard.append)
    service = Service(client, auth)
    secret = call(client, auth.clients.add_secret, service.id)
    call(client, auth.clients.remove_secret, service.id, secret.id)
    call(client, auth.clients.change, service.id, name="Renamed")
    for _ in range(2):
        call(client, auth.clients.disable, service.id)
    for _ in range(2):
        call(client, auth.clients.enable, service.id)
    call(client, auth.clients.delete, service.id)
    assert [event.name() for event in heard] == [
        "client_created", "client_secret_added", "client_secret_removed", "client_changed", "client_disabled",
        "client_enabled", "client_deleted",
    ]  # fmt: skip
    assert {event.fields()["client_id"] for event in heard} == {service.id}
    assert secret.value not in repr(heard)


BAD_METADATA: list[dict[str, Any]] = [
    {"name": ""},
    {"name": " "},
    {"name": "x" * 256},
    {"name": "a\nb"},
    {"grants": []},
    {"grants": ["password"]},
    {"grants": ["implicit"]},
    {"grants": ["authorization_code"]},
    {"auth_method": "client_secret_jwt"},
    {"auth_method": "none"},
    {"auth_method": "private_key_jwt"},
    {"jwks": {"keys": []}},
    {"scopes": ["a b"]},
    {"scopes": [""]},
    {"scopes": ['"']},
    {"scopes": [f"s{n}" for n in range(1001)]},
    {"access_token_lifetime": timedelta(0)},
    {"access_token_lifetime": timedelta(milliseconds=1)},
    {"access_token_lifetime": timedelta(days=1, seconds=1)},
    {"refresh_idle_lifetime": timedelta(days=4000)},
    {"id_token_algorithm": "HS256"},
    {"id_token_algorithm": "none"},
    {"post_logout_redirect_uris": ["http://app.example/bye"]},
    {"post_logout_redirect_uris": ["https://app.example/bye#there"]},
    {"post_logout_redirect_uris": ["com.example.app:/bye"]},
    {"backchannel_logout_uri": "http://app.example/logout"},
    {"backchannel_logout_uri": "https://app.example/logout#x"},
    {"backchannel_logout_uri": ""},
    {"resources": ["orders"]},
    {"resources": ["https://api.example/#x"]},
    {"redirect_uris": [f"https://a.example/{n}" for n in range(101)]},
]


def test_what_a_client_cannot_be_is_refused_with_a_reason(client: Client, auth: Watchword[Any]) -> None:
    for bad in BAD_METADATA:
        fields = {"name": "x", "grants": ["client_credentials"], **bad}
        with pytest.raises(InvalidInput) as refused:
            call(client, auth.clients.create, fields.pop("name"), **fields)
        assert refused.value.text != InvalidInput.text, bad
    assert call(client, auth.clients.page) == []
