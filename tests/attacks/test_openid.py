"""Rows 10 and 11: tokens of one kind where another belongs, all of them our own and good for what they are."""

from typing import Any

import pytest
from tests.attacks.conftest import Refused
from tests.conftest import Client, on_both
from tests.http.clients import Signer, assertion, claims_of
from tests.third_parties import ThirdParty, answer_of, log_in

from watchword import Watchword

pytestmark = [on_both, pytest.mark.usefixtures("alice")]


@pytest.fixture
def tokens(client: Client, auth: Watchword[Any]) -> dict[str, Any]:
    shop = ThirdParty(client, auth, id_token_algorithm="ES256")  # the algorithm of access tokens
    return shop.tokens(log_in(client, auth), scope="openid orders:read")


def test_row_10_an_id_token_as_access_token(client: Client, tokens: dict[str, Any], refused_by_guard: Refused) -> None:
    refused_by_guard(tokens["id_token"])
    headers = {"Authorization": f"Bearer {tokens['id_token']}"}
    assert client.get("/auth/userinfo", headers=headers).status_code == 401
    assert client.post("/auth/2fa/verify", headers=headers, json={"code": "000000"}).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": tokens["id_token"]}
    assert client.post("/auth/token", data=form).json()["error"] == "invalid_grant"


def test_row_11_an_access_token_as_id_token_hint(client: Client, auth: Watchword[Any], tokens: dict[str, Any]) -> None:
    shop = ThirdParty(client, auth)
    browser = log_in(client, auth)
    shop.is_allowed(browser)
    for hint in (tokens["access_token"], client.ask_token().json()["access_token"]):
        answer = shop.authorize(id_token_hint=hint)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert "location" not in answer.headers
        assert hint not in answer.text
        asked = client.get("/auth/end-session", params={"id_token_hint": hint})
        assert asked.status_code == 200, "the user is asked"
    assert "code" in answer_of(shop.authorize()), "nobody was logged out"


def test_row_11_our_own_tokens_as_client_assertion(
    client: Client, auth: Watchword[Any], tokens: dict[str, Any], refused_by_token_endpoint: Refused
) -> None:
    service = ThirdParty(
        client, auth, grants=["client_credentials"], auth_method="private_key_jwt",
        jwks={"keys": [Signer().public_jwk]},
    )  # fmt: skip
    mine = {"grant_type": "client_credentials", "client_id": service.id}
    for token in (tokens["access_token"], tokens["id_token"]):
        refused_by_token_endpoint("invalid_client", status=401, **assertion(token, **mine))
    of_shop = {"grant_type": "client_credentials", "client_id": claims_of(tokens["id_token"])["aud"]}
    refused_by_token_endpoint("invalid_client", status=401, **assertion(tokens["id_token"], **of_shop))
