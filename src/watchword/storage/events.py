"""The store of events: what an administrator can read of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import StoredEvent
from watchword.storage.clock import after
from watchword.storage.direct import Call, Statement
from watchword.storage.tables import event

_ADD: Final = Statement(
    event.insert()
    .values(
        id=bindparam("event_id"),
        name=bindparam("event_name"),
        at=bindparam("event_at"),
        actor=bindparam("event_actor"),
        user_id=bindparam("event_user_id"),
        fields=bindparam("event_fields"),
    )
    .returning(event.c.id)
)


def add(happened: StoredEvent) -> Call:
    """Keep an event."""
    return _ADD(**{f"event_{column.name}": getattr(happened, column.name) for column in event.columns})


@dataclass(frozen=True, slots=True)
class EventStore:
    """Reads and writes events on one connection."""

    _connection: AsyncConnection

    async def page(self, *, user_id: UUID | None, before: UUID | None, limit: int) -> Sequence[StoredEvent]:
        """Events, the newest first; about one user, if that is given."""
        statement = select(event).order_by(event.c.id.desc()).limit(limit)
        if user_id is not None:
            statement = statement.where(event.c.user_id == user_id)
        if before is not None:
            statement = statement.where(event.c.id < before)
        return [StoredEvent(**row._mapping) for row in await self._connection.execute(statement)]  # noqa: SLF001 — SQLAlchemy's public name for it

    async def prune(self, *, kept_for: timedelta, limit: int) -> int:
        """Delete events that are older; how many there were, `limit` at most."""
        old = select(event.c.id).where(event.c.at < after(-kept_for)).limit(limit)
        return (await self._connection.execute(delete(event).where(event.c.id.in_(old)))).rowcount
