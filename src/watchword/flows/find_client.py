"""Look clients up."""

from collections.abc import Sequence
from dataclasses import dataclass

from watchword.identity.client_metadata import no_such_client
from watchword.model import Client, ClientSecret
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class FindClient:
    """Reads clients."""

    storage: Database

    async def by_id(self, client_id: str) -> Client | None:
        """The client with this id; None if there is none.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.clients.get(client_id)

    async def page(self, *, after: str | None, limit: int) -> Sequence[Client]:
        """Clients in the order they were registered.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.clients.page(after_id=after, limit=limit)

    async def secrets(self, client_id: str) -> Sequence[ClientSecret]:
        """What may be known of a client's secrets, the oldest first.

        Raises:
            NotFound: There is no such client.
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            if await stores.clients.get(client_id) is None:
                raise no_such_client()
            return await stores.clients.secrets(client_id)
