"""Register a client."""

from dataclasses import dataclass

from watchword.crypto import opaque_tokens
from watchword.crypto.ids import new_id
from watchword.events import OPERATOR, By, ClientCreated, Events
from watchword.identity.authenticate_client import SECRET_PREFIX
from watchword.identity.client_metadata import ClientMetadata
from watchword.model import Client, NewClientSecret
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class CreateClient:
    """Registers a client, and makes its first secret where it authenticates with one."""

    storage: Database
    events: Events

    async def __call__(self, metadata: ClientMetadata, *, by: By = OPERATOR) -> tuple[Client, NewClientSecret | None]:
        """Register. The secret is nowhere but in what is returned.

        Raises:
            InvalidInput: It cannot be such a client; the text says why.
            StorageDown: The database does not answer.
        """
        wanted = metadata.client(str(new_id()))
        secret = stored = None
        if wanted.auth_method.has_secret:
            secret = NewClientSecret(new_id(), wanted.id, None, opaque_tokens.new(SECRET_PREFIX))
            stored = secret.id, opaque_tokens.digest(SECRET_PREFIX, secret.value)
        async with self.storage.transaction() as stores:
            client = await stores.clients.add(wanted, secret=stored)
        await self.events.emit(ClientCreated(client_id=client.id, actor=by.actor, device=by.device))
        return client, secret
