"""Rotate a client's secret: add the next, then remove the last."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from watchword.crypto import opaque_tokens
from watchword.crypto.ids import new_id
from watchword.errors import InvalidInput, NotFound
from watchword.events import OPERATOR, By, ClientSecretAdded, ClientSecretRemoved, Events
from watchword.identity.authenticate_client import SECRET_PREFIX
from watchword.identity.client_metadata import no_such_client
from watchword.model import NewClientSecret
from watchword.settings import format_duration
from watchword.storage import Database

_LONGEST_LIFETIME: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """Adds and removes secrets; a client has two at a time at most."""

    storage: Database
    events: Events
    clock: Callable[[], float]

    async def add(self, client_id: str, *, lifetime: timedelta | None = None, by: By = OPERATOR) -> NewClientSecret:
        """Make a secret. It is nowhere but in what is returned; those from before stay good.

        Args:
            client_id: Whose.
            lifetime: How long it is good; None until it is removed.
            by: On whose behalf.

        Raises:
            NotFound: There is no such client.
            InvalidInput: It has two already, or authenticates in another way.
            StorageDown: The database does not answer.
        """
        if lifetime is not None and not timedelta(0) < lifetime <= _LONGEST_LIFETIME:
            raise InvalidInput(text=f"a secret is good for at most {format_duration(_LONGEST_LIFETIME)}")
        expires_at = None if lifetime is None else datetime.fromtimestamp(self.clock(), UTC) + lifetime
        secret = NewClientSecret(new_id(), client_id, expires_at, opaque_tokens.new(SECRET_PREFIX))
        digest = opaque_tokens.digest(SECRET_PREFIX, secret.value)
        async with self.storage.transaction() as stores:
            client = await stores.clients.get(client_id, lock=True)
            if client is None:
                raise no_such_client()
            if not client.auth_method.has_secret:
                raise InvalidInput(text=f"this client authenticates by {client.auth_method}, without a secret")
            added = await stores.clients.add_secret(client_id, secret.id, digest, expires_at=expires_at)
        if not added:
            raise InvalidInput(text="this client has two secrets already: remove the one that is not used any more")
        await self.events.emit(
            ClientSecretAdded(client_id=client_id, secret_id=secret.id, actor=by.actor, device=by.device)
        )
        return secret

    async def remove(self, client_id: str, secret_id: UUID, *, by: By = OPERATOR) -> None:
        """Remove a secret. The tokens that were got with it live until they expire.

        Raises:
            NotFound: The client has no such secret.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            removed = await stores.clients.remove_secret(client_id, secret_id)
        if not removed:
            raise NotFound("no such secret", text="The client has no such secret")
        await self.events.emit(
            ClientSecretRemoved(client_id=client_id, secret_id=secret_id, actor=by.actor, device=by.device)
        )
