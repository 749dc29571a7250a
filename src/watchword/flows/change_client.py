"""Change what a client may do, disable and enable it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from watchword.events import OPERATOR, By, ClientChanged, ClientDisabled, ClientEnabled, Events
from watchword.identity.client_metadata import ClientMetadata, no_such_client
from watchword.model import Client
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class ChangeClient:
    """Changes clients. What a process remembers of one, it forgets."""

    storage: Database
    events: Events

    async def __call__(self, client_id: str, changes: Mapping[str, Any], *, by: By = OPERATOR) -> Client:
        """Change some fields of a client's metadata.

        Args:
            client_id: Whose.
            changes: Fields of `ClientMetadata`; what is not in it stays.
            by: On whose behalf.

        Raises:
            NotFound: There is no such client.
            InvalidInput: It cannot be such a client; nothing is changed.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            client = await stores.clients.get(client_id, lock=True)  # two changes at once do not undo each other
            if client is None:
                raise no_such_client()
            wanted = replace(ClientMetadata.of(client), **changes).client(client_id)
            changed = replace(wanted, is_active=client.is_active, created_at=client.created_at)
            await stores.clients.replace(changed)
        await self.events.emit(ClientChanged(client_id=client_id, actor=by.actor, device=by.device))
        return changed

    async def set_active(self, client_id: str, *, active: bool, by: By = OPERATOR) -> Client:
        """Disable or enable a client. While it is disabled, none of its tokens is good.

        Raises:
            NotFound: There is no such client.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            is_changed = await stores.clients.set_active(client_id, active=active)
            client = await stores.clients.get(client_id)
        if client is None:
            raise no_such_client()
        if is_changed:
            event = ClientEnabled if active else ClientDisabled
            await self.events.emit(event(client_id=client_id, actor=by.actor, device=by.device))
        return client
