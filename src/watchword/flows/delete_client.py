"""Delete a client."""

from dataclasses import dataclass

from watchword.events import OPERATOR, By, ClientDeleted, Events
from watchword.identity.client_metadata import no_such_client
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class DeleteClient:
    """Deletes a client, its secrets and keys. Sessions that users had with it are good no more."""

    storage: Database
    events: Events

    async def __call__(self, client_id: str, *, by: By = OPERATOR) -> None:
        """Delete.

        Raises:
            NotFound: There is no such client.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            deleted = await stores.clients.delete(client_id)
        if not deleted:
            raise no_such_client()
        await self.events.emit(ClientDeleted(client_id=client_id, actor=by.actor, device=by.device))
