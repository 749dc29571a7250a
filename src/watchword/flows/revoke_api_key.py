"""Revoke an API key."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, ApiKeyRevoked, By, Events
from watchword.model import ApiKey, Owner
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Ends a key: here before it returns, in other processes within the staleness bound."""

    storage: Database
    events: Events

    async def __call__(self, key_id: UUID, *, owner: Owner | None = None, by: By = OPERATOR) -> ApiKey:
        """Revoke.

        Args:
            key_id: Which.
            owner: Only if it is theirs; None for whoever's it is.
            by: On whose behalf.

        Raises:
            NotFound: No such key is in force, or it is somebody else's.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            revoked = await stores.api_keys.revoke(key_id, owner=owner)
        if revoked is None:
            raise NotFound(f"no API key {key_id} in force" + ("" if owner is None else f" of {owner}"))
        await self.events.emit(ApiKeyRevoked.of(revoked, by.device, actor=by.actor))
        return revoked
