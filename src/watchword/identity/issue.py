"""The only place where tokens are minted."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from watchword.crypto import jwt
from watchword.crypto.refresh_tokens import RefreshToken, RefreshTokenKeys
from watchword.identity.keyring import Keyring
from watchword.identity.scopes import format_scope
from watchword.model import Client, IssuedTokens, Session
from watchword.settings import SigningAlgorithm


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What every access token of this installation has in common."""

    issuer: str
    audience: str
    lifetime: timedelta
    algorithm: SigningAlgorithm


@dataclass(frozen=True, slots=True)
class IssueTokens:
    """Mints access tokens (RFC 9068) and refresh tokens."""

    keyring: Keyring
    refresh_keys: RefreshTokenKeys
    rules: TokenRules
    clock: Callable[[], float]

    def __call__(
        self,
        session: Session,
        refresh_token: RefreshToken,
        *,
        scopes: frozenset[str] | None = None,
        lifetime: timedelta | None = None,
    ) -> IssuedTokens:
        """Issue the tokens of a session.

        Args:
            session: Whose they are; no access token outlives it.
            refresh_token: What the refresh token says.
            scopes: What the access token may do, where that is less than the session.
            lifetime: That of the client's tokens, where it is shorter than everybody's. A longer one would outlive the
                word of a revocation.
        """
        granted = session.scopes if scopes is None else scopes
        now = int(self.clock())
        seconds = int(min(lifetime or self.rules.lifetime, self.rules.lifetime).total_seconds())
        expires_at = min(now + seconds, int(session.ends_at.timestamp()))
        claims = {
            **self._claims(str(session.user_id), session.client_id, granted, now=now, expires_at=expires_at),
            "sid": str(session.id),
            "auth_time": int(session.auth_time.timestamp()),
            "amr": list(session.amr),
            "epoch": session.epoch,
        }
        return IssuedTokens(
            access_token=self._sign(claims),
            refresh_token=self.refresh_keys.encode(refresh_token),
            expires_in=max(0, expires_at - now),
            scopes=granted,
        )

    def to_client(self, client: Client, scopes: frozenset[str]) -> IssuedTokens:
        """Issue an access token in which a client speaks for itself; `sub` is the client (RFC 9068 §2.2).

        Args:
            client: Who it was authenticated to be.
            scopes: What the token may do.
        """
        now = int(self.clock())
        seconds = int((client.access_token_lifetime or self.rules.lifetime).total_seconds())
        claims = self._claims(client.id, client.id, scopes, now=now, expires_at=now + seconds)
        # RFC 6749 §4.4.3: no refresh token, for the client can authenticate again.
        return IssuedTokens(self._sign(claims), refresh_token=None, expires_in=seconds, scopes=scopes)

    def _claims(
        self, subject: str, client_id: str, scopes: frozenset[str], *, now: int, expires_at: int
    ) -> dict[str, Any]:
        return {
            "iss": self.rules.issuer,
            "sub": subject,
            "aud": self.rules.audience,
            "exp": expires_at,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
            "client_id": client_id,
            "scope": format_scope(scopes),
        }

    def _sign(self, claims: jwt.Claims) -> str:
        return jwt.encode(claims, key=self.keyring.keys.signing[self.rules.algorithm], type_=jwt.ACCESS_TOKEN_TYPE)
