"""The store of mail that is to be sent. What it holds is sealed; opening it is not its business."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import OutboxEntry
from watchword.storage.clock import after, now
from watchword.storage.tables import outbox

_ENTRY: Final = (
    outbox.c.id,
    outbox.c.kind,
    outbox.c.attempts,
    outbox.c.next_attempt_at,
    outbox.c.last_error,
    outbox.c.created_at,
)
_IS_DUE: Final = outbox.c.next_attempt_at <= now()
_IS_IN_TIME: Final = outbox.c.expires_at > now()
_LONGEST_ERROR: Final = 255
_KEPT_ABANDONED: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewOutboxEntry:
    """What an entry starts with.

    Attributes:
        lifetime: After it, sending is of no use.
    """

    id: UUID
    kind: str
    sealed: bytes = field(repr=False)
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Claimed:
    """An entry that this process is to send now.

    Attributes:
        attempts: How many there were, this one included.
    """

    id: UUID
    kind: str
    sealed: bytes = field(repr=False)
    attempts: int


@dataclass(frozen=True, slots=True)
class OutboxStore:
    """Reads and writes the outbox on one connection."""

    _connection: AsyncConnection

    async def add(self, new: NewOutboxEntry) -> None:
        """Insert an entry, due at once."""
        await self._connection.execute(
            outbox.insert().values(
                id=new.id,
                kind=new.kind,
                payload_sealed=new.sealed,
                attempts=0,
                next_attempt_at=now(),
                created_at=now(),
                expires_at=after(new.lifetime),
            )
        )

    async def is_anything_due(self) -> bool:
        """Whether there is something to do: a look that locks nothing."""
        due: bool = (await self._connection.execute(select(exists().where(_IS_DUE)))).scalar_one()
        return due

    async def claim(self, *, lease: timedelta, limit: int) -> Sequence[Claimed]:
        """Take entries that are due, the longest waiting first; nobody else gets them before the lease is over.

        On PostgreSQL, what another process is just taking is passed over; SQLite has one writer at a time.
        """
        due = (
            select(outbox.c.id)
            .where(_IS_DUE, _IS_IN_TIME)
            .order_by(outbox.c.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(outbox)
            .where(outbox.c.id.in_(due), _IS_DUE)
            .values(attempts=outbox.c.attempts + 1, next_attempt_at=after(lease))
            .returning(outbox.c.id, outbox.c.kind, outbox.c.payload_sealed, outbox.c.attempts)
        )
        rows = await self._connection.execute(statement)
        return [Claimed(row.id, row.kind, row.payload_sealed, row.attempts) for row in rows]

    async def expire(self, *, limit: int) -> Sequence[OutboxEntry]:
        """Give up what could not be sent while it was of use; those entries."""
        late = select(outbox.c.id).where(_IS_DUE, ~_IS_IN_TIME).limit(limit).with_for_update(skip_locked=True)
        statement = (
            update(outbox)
            .where(outbox.c.id.in_(late), _IS_DUE)
            .values(next_attempt_at=None, last_error=func.coalesce(outbox.c.last_error, "there was nobody to send it"))
            .returning(*_ENTRY)
        )
        return [OutboxEntry(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def remove(self, entry_id: UUID) -> None:
        """Delete an entry that was sent."""
        await self._connection.execute(delete(outbox).where(outbox.c.id == entry_id))

    async def put_off(self, claimed: Claimed, error: str, *, delay: timedelta | None) -> None:
        """Note that an attempt failed, unless somebody else has taken the entry since.

        Args:
            claimed: What was to be sent.
            error: Why it was not, for an operator.
            delay: Until the next attempt; None gives it up.
        """
        await self._connection.execute(
            update(outbox)
            .where(outbox.c.id == claimed.id, outbox.c.attempts == claimed.attempts)
            .values(last_error=error[:_LONGEST_ERROR], next_attempt_at=None if delay is None else after(delay))
        )

    async def page(self, *, after_id: UUID | None, limit: int) -> Sequence[OutboxEntry]:
        """What was not sent, the oldest first."""
        statement = select(*_ENTRY).order_by(outbox.c.id).limit(limit)
        if after_id is not None:
            statement = statement.where(outbox.c.id > after_id)
        return [OutboxEntry(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def retry(self, entry_id: UUID | None, *, lifetime: timedelta) -> int:
        """Make an entry due now, or all that were given up; how many there were."""
        which = outbox.c.next_attempt_at.is_(None) if entry_id is None else outbox.c.id == entry_id
        statement = update(outbox).where(which).values(next_attempt_at=now(), expires_at=after(lifetime))
        return (await self._connection.execute(statement)).rowcount

    async def prune(self, *, limit: int) -> int:
        """Delete entries that were given up a week ago; how many there were, `limit` at most."""
        old = (
            select(outbox.c.id)
            .where(outbox.c.next_attempt_at.is_(None), outbox.c.expires_at < after(-_KEPT_ABANDONED))
            .limit(limit)
        )
        return (await self._connection.execute(delete(outbox).where(outbox.c.id.in_(old)))).rowcount
