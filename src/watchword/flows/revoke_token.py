"""Revoke a token (RFC 7009)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from watchword.crypto.refresh_tokens import PREFIX, BadRefreshToken, RefreshTokenKeys
from watchword.errors import InvalidToken, SecondFactorNeeded, UnauthorizedClient
from watchword.events import ClientTokenRevoked, Events, SessionEnded, TokenRevoked
from watchword.identity.verify import VerifyCredential
from watchword.model import API_KEY_PREFIX, Client, Device
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """Ends the session of a refresh token, or one access token. What is no token, or no good any more, is no error."""

    storage: Database
    refresh_keys: RefreshTokenKeys
    verify: VerifyCredential
    events: Events
    clock: Callable[[], float]

    async def __call__(self, client: Client, token: str, device: Device) -> None:
        """Revoke.

        Raises:
            UnauthorizedClient: The token was issued to another client (RFC 7009 §2.1); it stays good.
            StorageDown: The database does not answer.
        """
        if token.startswith(API_KEY_PREFIX):  # no token of RFC 6749; its owner revokes it by its id
            return
        if token.startswith(PREFIX):
            await self._refresh_token(client, token, device)
        else:
            await self._access_token(client, token, device)

    async def _refresh_token(self, client: Client, token: str, device: Device) -> None:
        try:
            presented = self.refresh_keys.decode(token)
        except BadRefreshToken:
            return
        async with self.storage.transaction() as stores:
            found = await stores.sessions.find(presented.handle)
            if found is None:
                return
            session, _generation = found  # one that was traded means its session too: whoever sends it wants it ended
            _refuse_others(client, session.client_id)
            await stores.sessions.end([session.id])
        await self.events.emit(SessionEnded(user_id=session.user_id, session_id=session.id, device=device))

    async def _access_token(self, client: Client, token: str, device: Device) -> None:
        try:
            verified = await self.verify(token)
        except (InvalidToken, SecondFactorNeeded):
            return
        principal = verified.principal
        _refuse_others(client, principal.client_id)
        remaining = timedelta(seconds=max(0.0, principal.expires_at.timestamp() - self.clock()))
        async with self.storage.transaction() as stores:
            await stores.revocations.token(verified.token_id, remaining=remaining)
        token_id = verified.token_id
        if principal.user_id is not None:
            await self.events.emit(TokenRevoked(user_id=principal.user_id, token_id=token_id, device=device))
        else:
            await self.events.emit(ClientTokenRevoked(client_id=client.id, token_id=token_id, device=device))


def _refuse_others(client: Client, owner: str) -> None:
    if owner != client.id:
        detail = f"client {client.id} revokes a token of {owner}"
        raise UnauthorizedClient(detail, text="This token was issued to another client")
