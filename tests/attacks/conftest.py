"""An app under attack, and what every refusal must look like."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.attacks.forge import Forge
from tests.conftest import PASSWORD, Client

from watchword import Watchword

Refused = Callable[..., Any]


@pytest.fixture
def forge(client: Client, auth: Watchword[Any]) -> Forge:
    """A forge whose unchanged token is good."""
    return make_forge(client, auth)


def make_forge(client: Client, auth: Watchword[Any]) -> Forge:
    client.sign_up()
    forge = Forge(auth, client.ask_token().json()["access_token"])
    assert client.get("/mine", headers={"Authorization": f"Bearer {forge.token()}"}).status_code == 200
    return forge


@pytest.fixture(autouse=True)
def nothing_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever happens, no password, token or traceback is logged."""
    caplog.set_level(logging.DEBUG, "watchword")
    yield
    ours = [record for record in caplog.records if record.name.startswith("watchword")]
    text = "\n".join(record.getMessage() for record in ours)
    assert PASSWORD not in text
    assert "eyJ" not in text
    assert not any(record.exc_info for record in ours)


@pytest.fixture
def refused_by_guard(client: Client) -> Refused:
    """Presents a token to every guard; each must answer 401 invalid_token, in JSON, and not repeat it."""

    def present(token: str) -> None:
        for path in ("/mine", "/who", "/orders"):
            answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, (path, answer.text)
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
            assert answer.json() == {"detail": "The access token is invalid or has expired"}

    return present


@pytest.fixture
def refused_by_token_endpoint(client: Client) -> Refused:
    """Posts to the token endpoint; the answer must be this OAuth error, uncached."""

    def post(error: str, *, status: int = 400, **request: Any) -> Any:
        answer = client.request(request.pop("method", "POST"), request.pop("url", "/auth/token"), **request)
        assert answer.status_code == status, answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert body["error"] == error
        assert body["detail"] == body["error_description"]
        assert PASSWORD not in answer.text
        return answer

    return post
