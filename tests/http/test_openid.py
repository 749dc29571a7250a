"""ID tokens and userinfo, as a relying party's own library reads them."""

import time
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import BaseModel
from tests.conftest import SCOPES, Client, make_app, make_settings, on_both
from tests.http.clients import call, claims_of
from tests.third_parties import ThirdParty, log_in

from watchword import Watchword
from watchword.crypto import base64url
from watchword.model import IdTokenRequest, IssuedTokens

ISSUER = "http://localhost:8000"
USERINFO = "/auth/userinfo"


class Person(BaseModel):
    name: str = ""
    locale: str | None = None
    phone_number: str = ""
    phone_number_verified: bool = False
    updated_at: str = ""
    shoe_size: int = 0


@pytest.fixture
def shop(client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth)


def verified(client: Client, id_token: str, algorithm: str = "RS256") -> Any:
    """What an independent library makes of an ID token, with the keys that we publish."""
    keys = KeySet.import_key_set(client.get("/auth/jwks").json())
    return jwt.decode(id_token, keys, algorithms=[algorithm])


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@on_both
def test_an_id_token_says_who_logged_in_how_and_when(
    client: Client, shop: ThirdParty, alice: dict[str, Any], auth: Watchword[Any]
) -> None:
    browser = log_in(client, auth, amr=("pwd", "otp", "mfa"))
    tokens = shop.tokens(browser, scope="openid orders:read", nonce="a nonce")
    token = verified(client, tokens["id_token"])
    assert token.header["typ"] == "JWT"
    access = claims_of(tokens["access_token"])
    at_hash = base64url.encode(sha256(tokens["access_token"].encode()).digest()[:16])
    now = int(time.time())
    assert abs(token.claims["iat"] - now) < 60
    assert token.claims == {
        "iss": ISSUER,
        "sub": alice["id"],
        "aud": shop.id,
        "exp": access["exp"],
        "iat": access["iat"],
        "auth_time": int(browser.auth_time.timestamp()),
        "nonce": "a nonce",
        "acr": "mfa",
        "amr": ["pwd", "otp", "mfa"],
        "sid": access["sid"],
        "at_hash": at_hash,
    }


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_it_is_signed_by_the_algorithm_of_its_client(
    client: Client, alice: dict[str, Any], auth: Watchword[Any], algorithm: str
) -> None:
    shop = ThirdParty(client, auth, id_token_algorithm=algorithm)
    tokens = shop.tokens(log_in(client, auth), scope="openid")
    assert verified(client, tokens["id_token"], algorithm).header["alg"] == algorithm
    call(client, auth.clients.change, shop.id, id_token_algorithm="ES256")
    fresh = shop.refresh(tokens["refresh_token"]).json()
    assert verified(client, fresh["id_token"], "ES256").claims["sub"] == alice["id"]


def test_without_the_scope_there_is_none(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="orders:read", claims='{"id_token": {"email": null}}')
    assert "id_token" not in tokens
    assert "id_token" not in client.ask_token().json()


def test_a_claim_is_in_it_that_was_asked_for_by_name_and_allowed_by_scope(
    client: Client, shop: ThirdParty, auth: Watchword[Any]
) -> None:
    browser = log_in(client, auth)
    asked = '{"id_token": {"email": {"essential": true}, "auth_time": {"essential": true}, "email_verified": null}}'
    with_scope = claims_of(shop.tokens(browser, scope="openid email", claims=asked)["id_token"])
    assert (with_scope["email"], with_scope["email_verified"]) == ("alice@example.com", False)
    assert "auth_time" in with_scope
    assert "email" not in claims_of(shop.tokens(browser, scope="openid", claims=asked)["id_token"])
    assert "email" not in claims_of(shop.tokens(browser, scope="openid email")["id_token"])


def test_userinfo_tells_what_the_scopes_allow(
    client: Client, shop: ThirdParty, alice: dict[str, Any], auth: Watchword[Any]
) -> None:
    browser = log_in(client, auth)
    tokens = shop.tokens(browser, scope="openid email")
    for method in ("GET", "POST"):
        answer = client.request(method, USERINFO, headers=bearer(tokens))
        assert answer.json() == {"sub": alice["id"], "email": "alice@example.com", "email_verified": False}
        assert answer.headers["cache-control"] == "no-store"
    only_openid = shop.tokens(browser, scope="openid orders:read")
    assert client.get(USERINFO, headers=bearer(only_openid)).json() == {"sub": alice["id"]}


def test_userinfo_is_for_the_scope_openid_alone(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="orders:read")
    for headers in (bearer(tokens), client.log_in()):
        refused = client.get(USERINFO, headers=headers)
        assert refused.status_code == 403
        assert 'scope="openid"' in refused.headers["www-authenticate"]
    assert client.get(USERINFO).headers["www-authenticate"] == "Bearer"


def test_a_token_in_a_form_or_the_address_is_not_looked_at(
    client: Client, shop: ThirdParty, auth: Watchword[Any]
) -> None:
    token = shop.tokens(log_in(client, auth), scope="openid")["access_token"]
    assert client.post(USERINFO, data={"access_token": token}).status_code == 401
    assert client.get(USERINFO, params={"access_token": token}).status_code == 401


def test_of_a_hosts_own_fields_the_standard_ones_are_told_and_nobody_vouches_for_what_users_write(
    sqlite_url: str,
) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url), scopes=SCOPES, profile=Person)
    with Client(make_app(auth)) as client:
        profile = {"name": "Alice", "phone_number": "+44", "phone_number_verified": True, "updated_at": "now",
                   "shoe_size": 38}  # fmt: skip
        client.sign_up(profile=profile)
        shop = ThirdParty(client, auth, scopes=["openid", "profile", "phone"])
        browser = log_in(client, auth)
        told = client.get(USERINFO, headers=bearer(shop.tokens(browser, scope="openid profile phone"))).json()
        assert {**told, "sub": ""} == {"sub": "", "name": "Alice", "phone_number": "+44"}
        supported = client.get("/.well-known/openid-configuration").json()["claims_supported"]
        assert {"name", "locale", "phone_number"} <= set(supported)
        assert not {"shoe_size", "phone_number_verified"} & set(supported)


def test_nothing_is_told_of_who_is_disabled_or_logged_out(
    client: Client, shop: ThirdParty, alice: dict[str, Any], auth: Watchword[Any]
) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="openid email")
    assert client.get(USERINFO, headers=bearer(tokens)).status_code == 200
    call(client, auth.users.disable, UUID(alice["id"]))
    assert client.get(USERINFO, headers=bearer(tokens)).status_code == 401


def test_nothing_about_an_id_token_is_in_a_repr(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    assert "eyJ" not in repr(IssuedTokens("eyJa", "eyJb", 1, frozenset(), id_token="eyJc"))
    assert "once" not in repr(IdTokenRequest(shop.client, nonce="once"))
