"""Services in the wild: other people's OAuth clients, used as their documentation shows, against a real server."""

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests
import uvicorn
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from tests.conftest import SCOPES, make_app, make_settings

from watchword import Watchword

SCOPE = "orders:read"


@dataclass(frozen=True)
class Server:
    """A server over real sockets, and the clients that were registered with it."""

    base: str
    clients: dict[str, tuple[str, str]]

    @property
    def token_url(self) -> str:
        return f"{self.base}/auth/token"

    def who(self, token: dict[str, Any]) -> str:
        """Whom the API takes the bearer of a token for."""
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        answer = requests.get(f"{self.base}/who", headers=headers, timeout=10)
        assert answer.status_code == 200
        assert requests.get(f"{self.base}/orders", headers=headers, timeout=10).status_code == 200
        assert requests.get(f"{self.base}/mine", headers=headers, timeout=10).status_code == 403
        subject: str = answer.json()["subject"]
        return subject


RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
METHODS = ("client_secret_basic", "client_secret_post", "RS256", "ES256")


async def register(auth: Watchword[Any]) -> dict[str, tuple[str, str]]:
    """One client for each way to authenticate: its id, and its secret."""
    jwks = {
        "RS256": json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())),
        "ES256": json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())),
    }
    found = {}
    async with auth.lifespan(FastAPI()):
        for name in METHODS:
            method = "private_key_jwt" if name in jwks else name
            client, secret = await auth.clients.create(
                name, grants=["client_credentials"], scopes=[SCOPE], auth_method=method, jwks=jwks.get(name)
            )
            found[name] = client.id, "" if secret is None else secret.value
    return found


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = tmp_path_factory.mktemp("services") / "watchword.db"
    shutil.copy(sqlite_template, database)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = make_settings(f"sqlite+aiosqlite:///{database}", issuer=base)
        clients = anyio.run(register, Watchword(settings, scopes=SCOPES))
        running = uvicorn.Server(uvicorn.Config(make_app(Watchword(settings, scopes=SCOPES)), log_level="warning"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while not running.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Server(base, clients)
        running.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def pem(key: Any) -> str:
    text: str = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return text


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_by_secret(server: Server, method: str) -> None:
    client_id, client_secret = server.clients[method]
    methods = {"token_endpoint_auth_method": method, "revocation_endpoint_auth_method": method}
    with OAuth2Client(client_id, client_secret, scope=SCOPE, **methods) as client:
        token = client.fetch_token(server.token_url, grant_type="client_credentials")
        assert token["scope"] == SCOPE
        assert server.who(token) == client_id
        assert client.get(f"{server.base}/orders").json() == ["an order"]
        told = client.introspect_token(f"{server.base}/auth/introspect", token=token["access_token"])
        assert told.json()["client_id"] == client_id
        assert client.revoke_token(f"{server.base}/auth/revoke", token=token["access_token"]).status_code == 200
        assert client.get(f"{server.base}/orders").status_code == 401


@pytest.mark.anyio
async def test_authlib_fetches_the_next_token_by_itself(server: Server) -> None:
    client_id, client_secret = server.clients["client_secret_basic"]
    orders_url = f"{server.base}/orders"
    token_url = server.token_url
    async with AsyncOAuth2Client(
        client_id, client_secret, token_endpoint=token_url, grant_type="client_credentials"
    ) as client:
        await client.fetch_token()
        orders = await client.get(orders_url)  # when the token is about to expire, it fetches the next by itself
        assert orders.json() == ["an order"]
        first = client.token["access_token"]
        client.token["expires_at"] = int(time.time()) + 1
        assert (await client.get(orders_url)).status_code == 200
        assert client.token["access_token"] != first


def test_authlib_by_private_key(server: Server) -> None:
    client_id, _ = server.clients["RS256"]
    private_key = pem(RSA_KEY)
    token_url = server.token_url
    with OAuth2Client(client_id, private_key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(token_url))
        for _ in range(3):  # each time another assertion: one is good once
            token = client.fetch_token(token_url, grant_type="client_credentials")
            assert server.who(token) == client_id


@pytest.mark.anyio
async def test_authlib_by_private_key_on_a_curve(server: Server) -> None:
    from joserfc.jwk import ECKey

    client_id, _ = server.clients["ES256"]
    token_url = server.token_url
    key: Any = ECKey.import_key(pem(EC_KEY))
    async with AsyncOAuth2Client(client_id, key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(token_url, alg="ES256"))
        token = await client.fetch_token(token_url, grant_type="client_credentials")
    assert server.who(token) == client_id


def test_requests_oauthlib_by_basic(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # theirs, for http on loopback
    client_id, client_secret = server.clients["client_secret_basic"]
    token_url = server.token_url
    auth = HTTPBasicAuth(client_id, client_secret)
    with OAuth2Session(client=BackendApplicationClient(client_id=client_id)) as session:
        token = session.fetch_token(token_url=token_url, auth=auth)
        assert server.who(token) == client_id
        assert session.get(f"{server.base}/orders", timeout=10).json() == ["an order"]
    with OAuth2Session(client=BackendApplicationClient(client_id=client_id, scope=[SCOPE])) as session:
        token = session.fetch_token(token_url=token_url, client_id=client_id, client_secret=client_secret)
        assert token["scope"] == [SCOPE]


def test_requests_oauthlib_by_post(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client_id, client_secret = server.clients["client_secret_post"]
    with OAuth2Session(client=BackendApplicationClient(client_id=client_id)) as session:
        token = session.fetch_token(token_url=server.token_url, client_secret=client_secret, include_client_id=True)
        assert server.who(token) == client_id


def test_requests_oauthlib_says_what_we_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    client_id, _ = server.clients["client_secret_basic"]
    with (
        OAuth2Session(client=BackendApplicationClient(client_id=client_id)) as session,
        pytest.raises(InvalidClientError, match="Client authentication failed"),
    ):
        session.fetch_token(token_url=server.token_url, auth=HTTPBasicAuth(client_id, "wws_wrong"))
