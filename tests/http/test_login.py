"""The main road over HTTP."""

from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings

from watchword import Watchword


@pytest.fixture
def client(database_url: str) -> Any:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes={"orders:read": "Read orders"})
    with Client(make_app(auth)) as client:
        yield client


def test_a_user_signs_up_logs_in_and_is_known(client: Client) -> None:
    user = client.sign_up()
    answer = client.ask_token()
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 900
    assert answer.headers["cache-control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert client.get("/mine", headers=headers).json() == {"email": EMAIL}
    assert client.get("/auth/me", headers=headers).json()["id"] == user["id"]


def test_changing_the_password_ends_every_token(client: Client) -> None:
    client.sign_up()
    headers = client.log_in()
    change = {"current_password": PASSWORD, "new_password": "another long password"}
    assert client.post("/auth/password/change", json=change, headers=headers).status_code == 204
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.ask_token().status_code == 400
    assert client.ask_token(password="another long password").status_code == 200
