"""Tokens as an attacker would make them, with and without our keys."""

import json
import time
from typing import Any

from watchword import Watchword
from watchword.crypto import base64url
from watchword.crypto.keys import SigningKey
from watchword.settings import SigningAlgorithm


class Forge:
    """Signs whatever it is given with the installation's real keys."""

    def __init__(self, auth: Watchword[Any], access_token: str) -> None:
        self.key: SigningKey = auth.open_session.issue.keyring.keys.signing[SigningAlgorithm.ES256]
        now = int(time.time())
        real = json.loads(base64url.decode(access_token.split(".")[1]))
        self.header: dict[str, Any] = {"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}
        self.claims: dict[str, Any] = {
            "iss": "http://localhost:8000",
            "sub": real["sub"],
            "sid": real["sid"],
            "aud": "http://localhost:8000",
            "exp": now + 900,
            "iat": now,
            "jti": "a-jti",
            "client_id": "first-party",
            "scope": "orders:read",
            "auth_time": now,
            "amr": ["pwd"],
            "epoch": 0,
        }

    def token(self, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> str:
        """A token with some members changed; a member that is `...` is left out."""
        return self.raw(
            json.dumps(_changed(self.header, header)).encode(), json.dumps(_changed(self.claims, claims)).encode()
        )

    def raw(self, header: bytes, payload: bytes, *, signer: SigningKey | None = None) -> str:
        """A token of exactly these bytes, with a good signature."""
        signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        signature = (signer or self.key).sign(signing_input.encode())
        return f"{signing_input}.{base64url.encode(signature)}"


def _changed(members: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in {**members, **(changes or {})}.items() if value is not ...}
