"""What nobody thought of, and what is refused: the caller learns nothing, the operator does (ASVS 16.3.2, 16.5.4)."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.storage import Database


@pytest.fixture
def client(sqlite_url: str) -> Iterator[Client]:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url), scopes=SCOPES)
    with Client(make_app(auth), raise_server_exceptions=False) as client:
        client.sign_up()
        yield client


def test_an_error_that_nobody_thought_of_tells_the_caller_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_account(_storage: Database, _email: str) -> None:
        raise ZeroDivisionError("what only operators should read")

    monkeypatch.setattr("watchword.identity.authenticate_user.find_account", find_account)
    answer = client.ask_token()
    assert answer.status_code == 500
    assert answer.text == "Internal Server Error"


def test_what_a_guard_refuses_is_logged_without_the_token(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    bearer = client.log_in(scope="orders:write")
    with caplog.at_level(logging.INFO, logger="watchword.guard"):
        assert client.get("/orders", headers=bearer).status_code == 403
    assert "refused /orders: insufficient_scope" in caplog.text
    assert bearer["Authorization"].removeprefix("Bearer ") not in caplog.text


def test_signing_keys_have_128_bits_of_strength(client: Client) -> None:
    keys = client.get("/auth/jwks").json()["keys"]
    assert {key["kty"] for key in keys} == {"EC", "RSA"}
    for key in keys:
        # base64url: four characters hold three bytes
        assert key.get("crv") == "P-256" or len(key["n"]) * 6 >= 3072
