"""Keep what happened, for administrators to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from watchword.crypto.ids import new_id
from watchword.events import Event
from watchword.model import StoredEvent
from watchword.storage import Database
from watchword.storage.events import add

_SAID_APART: Final = ("at", "actor", "user_id")


@dataclass(frozen=True, slots=True)
class RecordEvents:
    """Keeps events: one statement each, past the pool, since every login brings one."""

    storage: Database

    async def __call__(self, event: Event) -> None:
        """Keep one.

        Raises:
            StorageDown: The database does not answer; it may have been kept or not.
        """
        await self.storage.send(add(_stored(event)))


def _stored(event: Event) -> StoredEvent:
    fields = {name: value for name, value in event.fields().items() if name not in _SAID_APART}
    return StoredEvent(new_id(), event.name(), event.at, event.actor, getattr(event, "user_id", None), fields)


@dataclass(frozen=True, slots=True)
class ListEvents:
    """Lists what was kept."""

    storage: Database

    async def __call__(self, *, user_id: UUID | None, before: UUID | None, limit: int) -> Sequence[StoredEvent]:
        """A page, the newest first.

        Args:
            user_id: About whom; None for all.
            before: The id of the last one of the page before.
            limit: How many at most.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.events.page(user_id=user_id, before=before, limit=limit)
