"""What tests of registered clients share: a started app, clients of it, and assertions as a client signs them."""

import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
from tests.conftest import Client

from watchword import Watchword
from watchword.crypto import base64url
from watchword.identity.authenticate_client import ASSERTION_TYPE
from watchword.model import Client as RegisteredClient

T = TypeVar("T")
ISSUER = "http://localhost:8000"
SCOPES = ("orders:read", "orders:write")


def call(client: Client, function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
    """Await something in the app's event loop."""
    assert client.portal is not None

    async def run() -> T:
        return await function(*args, **kwargs)

    return client.portal.call(run)


class Service:
    """A registered client, as the service that it is would use it."""

    def __init__(self, http: Client, auth: Watchword[Any], **metadata: Any) -> None:
        fields: dict[str, Any] = {"grants": ["client_credentials"], "scopes": SCOPES, **metadata}
        self.http = http
        self.auth = auth
        self.client: RegisteredClient
        self.client, secret = call(http, auth.clients.create, "A service", **fields)
        self.id = self.client.id
        self.secret = "" if secret is None else secret.value

    def credentials(self) -> dict[str, Any]:
        """What authenticates a request by the method that the client registered."""
        if self.client.auth_method == "client_secret_basic":
            return {"headers": basic(self.id, self.secret)}
        return {"data": {"client_id": self.id, "client_secret": self.secret}}

    def post(self, path: str, form: dict[str, str], **credentials: Any) -> Any:
        """A request of this client."""
        request = credentials or self.credentials()
        return self.http.post(path, **{**request, "data": {**form, **request.get("data", {})}})

    def ask(self, **form: str) -> Any:
        """Ask for a token."""
        return self.post("/auth/token", {"grant_type": "client_credentials", **form})

    def bearer(self, **form: str) -> dict[str, str]:
        """The headers of a new token."""
        answer = self.ask(**form)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """RFC 6749 §2.3.1: both are form-encoded first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64url.decode(token.split(".")[1]))
    return claims


class Signer:
    """A client's own key, and assertions signed with it."""

    ALGORITHMS: dict[str, tuple[Callable[[], Any], Algorithm]] = {  # noqa: RUF012 — nobody changes it
        "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECAlgorithm(ECAlgorithm.SHA256)),
        "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm(RSAAlgorithm.SHA256)),
        "PS256": (lambda: rsa.generate_private_key(65537, 2048), RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256)),
        "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPAlgorithm()),
    }

    def __init__(self, algorithm: str = "ES256", kid: str | None = "a-key") -> None:
        make, self.signer = self.ALGORITHMS[algorithm]
        self.algorithm = algorithm
        self.kid = kid
        self.private = make()
        to_jwk: Any = self.signer.to_jwk
        self.public_jwk: dict[str, Any] = {
            **{
                name: value
                for name, value in json.loads(to_jwk(self.private.public_key())).items()
                if name != "key_ops"
            },
            "alg": algorithm,
            **({} if kid is None else {"kid": kid}),
        }

    def sign(self, client_id: str, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An assertion with some members changed; a member that is `...` is left out."""
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 60, "iat": now,
                  "jti": secrets.token_urlsafe(16), **changes}  # fmt: skip
        head = {"alg": self.algorithm, **({} if self.kid is None else {"kid": self.kid}), **(header or {})}
        parts = [
            base64url.encode(json.dumps({name: value for name, value in part.items() if value is not ...}).encode())
            for part in (head, claims)
        ]
        signature = self.signer.sign(".".join(parts).encode(), self.private)
        return ".".join([*parts, base64url.encode(signature)])


def assertion(text: str, **form: str) -> dict[str, Any]:
    """The form of a request that is authenticated by an assertion."""
    return {"data": {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text, **form}}
