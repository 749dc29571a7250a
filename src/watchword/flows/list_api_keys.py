"""The API keys of a user or a client, or all."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.model import ApiKey, Owner
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """Lists the keys that are in force."""

    storage: Database

    async def __call__(self, owner: Owner | None, *, before: UUID | None = None, limit: int = 100) -> Sequence[ApiKey]:
        """A page, the newest first.

        Args:
            owner: A user's id, or a client's; None for everybody's.
            before: The id of the last one of the page before.
            limit: How many at most.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.api_keys.page(owner, before=before, limit=limit)
