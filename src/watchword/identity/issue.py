"""The only place where tokens are minted."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchword.crypto import jwt
from watchword.crypto.keys import KeySet
from watchword.identity.scopes import format_scope
from watchword.model import Account, Client, IssuedTokens
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
    """Mints access tokens (RFC 9068)."""

    keys: KeySet
    rules: TokenRules
    clock: Callable[[], float]

    def __call__(
        self,
        account: Account,
        client: Client,
        *,
        scopes: frozenset[str],
        amr: tuple[str, ...],
        auth_time: datetime | None = None,
    ) -> IssuedTokens:
        """Issue tokens to a user who just logged in.

        Args:
            account: The user.
            client: Whom the tokens are for.
            scopes: What was granted.
            amr: How the user authenticated (RFC 8176).
            auth_time: When the user authenticated, if that was not now.
        """
        now = int(self.clock())
        seconds = int(self.rules.lifetime.total_seconds())
        claims = {
            "iss": self.rules.issuer,
            "sub": str(account.id),
            "aud": self.rules.audience,
            "exp": now + seconds,
            "iat": now,
            "jti": secrets.token_urlsafe(16),
            "client_id": client.id,
            "scope": format_scope(scopes),
            "auth_time": now if auth_time is None else int(auth_time.astimezone(UTC).timestamp()),
            "amr": list(amr),
            "epoch": account.token_epoch,
        }
        token = jwt.encode(claims, key=self.keys.signing[self.rules.algorithm], type_=jwt.ACCESS_TOKEN_TYPE)
        return IssuedTokens(token, expires_in=seconds, scopes=scopes)
