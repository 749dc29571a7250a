"""Rows 14 to 18 and 36: how a credential may come, and what it may do."""

from typing import Any

import jwt
import pytest
from tests.attacks.forge import Forge
from tests.conftest import EMAIL, Client


def test_row_14_two_authorization_headers(forge: Forge, client: Client) -> None:
    good = f"Bearer {forge.token()}"
    for pair in ([good, good], [good, "Bearer x"], ["Basic Og==", good]):
        answer = client.get("/mine", headers=[("Authorization", value) for value in pair])
        assert answer.status_code == 400
        assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_request"')


def test_row_14_a_token_in_the_header_and_one_in_the_body(forge: Forge, client: Client) -> None:
    headers = {"Authorization": f"Bearer {forge.token()}"}
    assert client.post("/form", data={"access_token": forge.token()}, headers=headers).status_code == 400
    assert client.post("/form", data={"access_token": ""}, headers=headers).status_code == 400
    assert client.post("/form", data={"other": "field"}, headers=headers).status_code == 200


def test_row_15_a_token_in_the_query_string_is_not_looked_at(forge: Forge, client: Client) -> None:
    for name in ("access_token", "token", "authorization"):
        answer = client.get("/mine", params={name: forge.token()})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Bearer  ", "Bearer a b", "Bearer a,b", "bearer\ta b"])
def test_row_16_no_single_token_after_bearer(client: Client, value: str) -> None:
    answer = client.get("/mine", headers={"Authorization": value})
    assert answer.status_code in {400, 401}
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "invalid_token" not in answer.headers["www-authenticate"]


def test_row_16_the_scheme_is_case_insensitive_and_spaces_around_the_token_are_none_of_it(
    forge: Forge, client: Client
) -> None:
    for value in (f"bearer {forge.token()}", f"BEARER {forge.token()}", f"Bearer  {forge.token()} "):
        assert client.get("/mine", headers={"Authorization": value}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Basic Og=="}, {"Cookie": "token=x"}])
def test_row_17_no_credential_gets_a_bare_challenge(client: Client, headers: dict[str, str]) -> None:
    for path in ("/mine", "/who", "/orders", "/auth/me"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize(
    "scope",
    ["", "orders", "orders:", "orders:rea", "orders:reads", "orders:read:all", "Orders:Read", "ORDERS:READ",
     "orders:write", "orders:re\u0430d", "orders:\uff52ead", "orders :read", "admin", "*", "orders:read\u00a0x",
     "x\u2003orders:read", "orders:read\n", "orders:read\tx", "orders:read,x", "orders:read\u200b"],
)  # fmt: skip
def test_row_18_a_token_without_the_scope_or_with_one_that_looks_like_it(
    forge: Forge, client: Client, scope: str
) -> None:
    answer = client.get("/orders", headers={"Authorization": f"Bearer {forge.token(claims={'scope': scope})}"})
    assert answer.status_code == 403
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer error="insufficient_scope"')
    assert 'scope="orders:read"' in challenge


def test_row_36_the_issuer_never_comes_from_the_request(client: Client) -> None:
    client.sign_up()
    spoofed = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    form = {"grant_type": "password", "username": EMAIL, "password": "correct horse battery staple"}
    answer = client.post("/auth/token", data=form, headers=spoofed)
    assert answer.status_code == 200
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/mine", headers=headers).status_code == 200
    assert "evil.example" not in client.get("/openapi.json", headers=spoofed).text
    claims: dict[str, Any] = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["iss"] == claims["aud"] == "http://localhost:8000"
