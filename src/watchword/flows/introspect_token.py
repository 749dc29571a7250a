"""Tell what a token is (RFC 7662)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from watchword.crypto.refresh_tokens import PREFIX, BadRefreshToken, RefreshTokenKeys
from watchword.errors import InvalidToken, SecondFactorNeeded
from watchword.identity.issue import TokenRules
from watchword.identity.scopes import format_scope
from watchword.identity.verify import VerifyCredential
from watchword.model import API_KEY_PREFIX
from watchword.storage import Database

_INACTIVE: Final[Mapping[str, Any]] = {"active": False}  # RFC 7662 §2.2: and nothing else, whatever the reason


@dataclass(frozen=True, slots=True)
class Introspector:
    """Who asks.

    Attributes:
        client_id: The client: it may ask about tokens that were issued to it, or that are meant for it.
        user_id: Where a user's own access token asks, only about tokens of that user.
    """

    client_id: str
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class IntrospectToken:
    """Tells whether a token is good now; the database is asked each time."""

    storage: Database
    refresh_keys: RefreshTokenKeys
    verify: VerifyCredential
    rules: TokenRules

    async def __call__(self, asking: Introspector, token: str) -> Mapping[str, Any]:
        """The members of RFC 7662 §2.2; for a token that is not the caller's the same as for none.

        Raises:
            StorageDown: The database does not answer.
        """
        if token.startswith(API_KEY_PREFIX):  # no token of RFC 6749: who gets one has nothing to look up here
            return _INACTIVE
        if token.startswith(PREFIX):
            return await self._refresh_token(asking, token)
        return await self._access_token(asking, token)

    async def _access_token(self, asking: Introspector, token: str) -> Mapping[str, Any]:
        try:
            verified = await self.verify(token)
        except (InvalidToken, SecondFactorNeeded):
            return _INACTIVE
        principal, account = verified.principal, verified.account
        if not self._may_ask(asking, principal.client_id, principal.user_id, audience=verified.audience):
            return _INACTIVE
        return {
            "active": True,
            "token_type": "Bearer",
            "iss": self.rules.issuer,
            "aud": verified.audience,
            "sub": principal.subject,
            "client_id": principal.client_id,
            "scope": format_scope(principal.scopes),
            "exp": int(principal.expires_at.timestamp()),
            "iat": int(verified.issued_at.timestamp()),
            "jti": verified.token_id,
            **({} if principal.session_id is None else {"sid": str(principal.session_id), "amr": list(principal.amr)}),
            **({} if principal.auth_time is None else {"auth_time": int(principal.auth_time.timestamp())}),
            **({} if account is None else {"username": account.email}),
        }

    async def _refresh_token(self, asking: Introspector, token: str) -> Mapping[str, Any]:
        try:
            presented = self.refresh_keys.decode(token)
        except BadRefreshToken:
            return _INACTIVE
        async with self.storage.reading() as stores:
            found = await stores.sessions.find(presented.handle)
        if found is None or found[1] != presented.generation:
            return _INACTIVE
        session = found[0]
        if not self._may_ask(asking, session.client_id, session.user_id):
            return _INACTIVE
        return {
            "active": True,
            "iss": self.rules.issuer,
            "sub": str(session.user_id),
            "client_id": session.client_id,
            "scope": format_scope(session.scopes),
            "exp": int(session.ends_at.timestamp()),
            "sid": str(session.id),
            "auth_time": int(session.auth_time.timestamp()),
            "amr": list(session.amr),
        }

    @staticmethod
    def _may_ask(asking: Introspector, client_id: str, user_id: UUID | None, *, audience: str | None = None) -> bool:
        if asking.user_id is not None:
            return (asking.client_id, asking.user_id) == (client_id, user_id)
        return asking.client_id in {client_id, audience}
