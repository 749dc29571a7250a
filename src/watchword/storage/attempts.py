"""The store of failed attempts: one row an account and kind of secret, one statement a failure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import AttemptKind, AttemptPolicy
from watchword.storage.clock import after, now
from watchword.storage.direct import Call, Row, Statement
from watchword.storage.statements import insert_for
from watchword.storage.tables import attempt

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""A failure so long after the last one is the first."""

_KEY: Final = (attempt.c.kind, attempt.c.key)
_WAIT: Final = (attempt.c.blocked_until, now().label("moment"))
_FIND: Final = Statement(
    select(*_WAIT).where(attempt.c.kind == bindparam("of_kind"), attempt.c.key == bindparam("with_key"))
)
_IS_BLOCKED: Final = func.coalesce(attempt.c.blocked_until, now()) > now()


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure that was counted, or would have been.

    Attributes:
        was_blocked: Whether the account was blocked already, so that this one was not counted.
        failures: How many there were in a row.
        blocked_for: How long no try is heard now.
    """

    was_blocked: bool
    failures: int
    blocked_for: timedelta


@dataclass(frozen=True, slots=True)
class AttemptStore:
    """Reads and writes counters of failures on one connection."""

    _connection: AsyncConnection

    async def add(self, kind: AttemptKind, key: bytes, policy: AttemptPolicy) -> Failure:
        """Count a failure, and block once there are too many: one statement, so that none of many at once is lost.

        While it is blocked nothing is counted but that somebody tried, so that trying on makes it no longer.
        """
        is_old = attempt.c.last_failed_at < after(-FORGOTTEN_AFTER)
        failures = case((_IS_BLOCKED, attempt.c.failures), (is_old, 1), else_=attempt.c.failures + 1)
        waits = [(failures >= number, after(wait)) for number, wait in reversed(policy.waits())]
        statement = (
            insert_for(self._connection, attempt)
            .values(
                kind=kind,
                key=key,
                failures=1,
                last_failed_at=now(),
                blocked_until=after(policy.wait(1)) if policy.wait(1) else None,
                refused=0,
            )
            .on_conflict_do_update(
                index_elements=_KEY,
                set_={
                    "failures": failures,
                    "last_failed_at": case((_IS_BLOCKED, attempt.c.last_failed_at), else_=now()),
                    "blocked_until": case((_IS_BLOCKED, attempt.c.blocked_until), *waits, else_=None),
                    "refused": case((_IS_BLOCKED, attempt.c.refused + 1), else_=0),
                },
            )
            .returning(attempt.c.failures, attempt.c.refused, *_WAIT)
        )
        row = (await self._connection.execute(statement)).one()
        return Failure(row.refused > 0, row.failures, to_wait(row))

    async def forget(self, kind: AttemptKind, key: bytes) -> None:
        """Start anew, unless it was blocked meanwhile."""
        await self._connection.execute(delete(attempt).where(_counter(kind, key), ~_IS_BLOCKED))

    async def lift(self, kind: AttemptKind, key: bytes) -> None:
        """Start anew, though it is blocked."""
        await self._connection.execute(delete(attempt).where(_counter(kind, key)))

    async def prune(self, *, limit: int) -> int:
        """Delete counters that would start anew; how many there were, `limit` at most."""
        old = select(*_KEY).where(attempt.c.last_failed_at < after(-FORGOTTEN_AFTER)).limit(limit)
        return (await self._connection.execute(delete(attempt).where(tuple_(*_KEY).in_(old)))).rowcount


def _counter(kind: AttemptKind, key: bytes) -> ColumnElement[bool]:
    return and_(attempt.c.kind == kind, attempt.c.key == key)


def find(kind: AttemptKind, key: bytes) -> Call:
    """The failures to tell a secret, if there were any; it returns what `to_wait` reads."""
    return _FIND(of_kind=kind, with_key=key)


def to_wait(row: Row) -> timedelta:
    """How long no try is heard; zero where one is."""
    return timedelta(0) if row.blocked_until is None else max(timedelta(0), row.blocked_until - row.moment)
