"""The only place where tokens are minted."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from watchword.crypto import jwt
from watchword.crypto.keys import KeySet
from watchword.crypto.refresh_tokens import RefreshToken, RefreshTokenKeys
from watchword.identity.scopes import format_scope
from watchword.model import IssuedTokens, Session
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

    keys: KeySet
    refresh_keys: RefreshTokenKeys
    rules: TokenRules
    clock: Callable[[], float]

    def __call__(
        self, session: Session, refresh_token: RefreshToken, *, scopes: frozenset[str] | None = None
    ) -> IssuedTokens:
        """Issue the tokens of a session.

        Args:
            session: Whose they are; no access token outlives it.
            refresh_token: What the refresh token says.
            scopes: What the access token may do, where that is less than the session.
        """
        granted = session.scopes if scopes is None else scopes
        now = int(self.clock())
        expires_at = min(now + int(self.rules.lifetime.total_seconds()), int(session.ends_at.timestamp()))
        claims = {
            "iss": self.rules.issuer,
            "sub": str(session.user_id),
            "aud": self.rules.audience,
            "exp": expires_at,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
            "client_id": session.client_id,
            "scope": format_scope(granted),
            "sid": str(session.id),
            "auth_time": int(session.auth_time.timestamp()),
            "amr": list(session.amr),
            "epoch": session.epoch,
        }
        return IssuedTokens(
            access_token=jwt.encode(claims, key=self.keys.signing[self.rules.algorithm], type_=jwt.ACCESS_TOKEN_TYPE),
            refresh_token=self.refresh_keys.encode(refresh_token),
            expires_in=max(0, expires_at - now),
            scopes=granted,
        )
