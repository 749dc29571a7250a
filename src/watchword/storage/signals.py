"""How a process hears of revocations: one dedicated connection that waits for a signal and reads what is new."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.errors import StorageDown
from watchword.model import Revocation
from watchword.storage.database import Database
from watchword.storage.revocations import CHANNEL, COLUMNS, to_revocation
from watchword.storage.tables import revocation

_GLANCE_SECONDS: Final = 0.05

# A row is new if the snapshot of the last read did not see the transaction that wrote it: ids come out of order, and a
# long transaction commits below ids that were read before it. No transaction below the snapshot's xmin was unseen.
_READ_POSTGRESQL: Final = text(f"""
    SELECT CAST(pg_current_snapshot() AS text) AS snapshot, new.kind, new.subject, new.epoch
    FROM (SELECT CAST(CAST(:seen AS text) AS pg_snapshot) AS seen) AS last
    LEFT JOIN {revocation.name} AS new
        ON new.transaction_id >= CAST(CAST(pg_snapshot_xmin(last.seen) AS text) AS bigint)
        AND NOT pg_visible_in_snapshot(CAST(CAST(new.transaction_id AS text) AS xid8), last.seen)
        -- A row that was copied from another cluster may name a transaction that is yet to come here.
        AND new.transaction_id < CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)
""")  # noqa: S608 — our own table's name


_COUNTER: Final = f"SELECT seq FROM sqlite_sequence WHERE name = '{revocation.name}'"  # noqa: S608 — see above


class Reader(Protocol):
    """A connection that stands at some point of the table."""

    async def wait(self, seconds: float) -> None:
        """Return when something may be new, or after so many seconds."""
        ...

    async def read(self) -> Sequence[Revocation]:
        """What became visible since the last read, or since the reader was opened."""
        ...


class Signals(Protocol):
    """Opens readers."""

    def reader(self) -> AbstractAsyncContextManager[Reader]:
        """Connect, and stand at what is visible now.

        Raises:
            StorageDown: The database does not answer; from the reader too, once it is open.
        """
        ...


def signals_of(database: Database) -> Signals:
    """How to follow this database; the connection is taken from its pool and kept."""
    if database.is_in_memory:
        return _NobodyElse()
    return _PostgresqlSignals(database) if database.is_postgresql else _SqliteSignals(database)


@dataclass(frozen=True, slots=True)
class _PostgresqlSignals:
    database: Database

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reader]:
        async with self.database.connection() as connection:
            heard = asyncio.Event()
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None, "it was just connected"
            try:
                driver.add_termination_listener(lambda *_: heard.set())
                await driver.add_listener(CHANNEL, lambda *_: heard.set())
                snapshot = (await connection.execute(text("SELECT CAST(pg_current_snapshot() AS text)"))).scalar_one()
                yield _PostgresqlReader(connection, heard, snapshot)
            finally:
                await connection.invalidate()  # its listeners die with it


@dataclass(slots=True)
class _PostgresqlReader:
    connection: AsyncConnection
    heard: asyncio.Event
    snapshot: str

    async def wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for of Python 3.11 may swallow a cancellation
                await self.heard.wait()

    async def read(self) -> Sequence[Revocation]:
        self.heard.clear()  # before reading: a signal during the read asks for another
        rows = (await self.connection.execute(_READ_POSTGRESQL, {"seen": self.snapshot})).all()
        self.snapshot = rows[0].snapshot
        return [to_revocation(row) for row in rows if row.kind is not None]


@dataclass(frozen=True, slots=True)
class _SqliteSignals:
    database: Database

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reader]:
        async with self.database.connection() as connection:
            last = (await connection.execute(select(func.max(revocation.c.id)))).scalar_one()
            yield _SqliteReader(connection, last or 0)


@dataclass(slots=True)
class _SqliteReader:
    """SQLite has one writer at a time, so ids come in the order of commits."""

    connection: AsyncConnection
    last_id: int
    version: int = 0

    async def wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (remaining := deadline - loop.time()) > 0:
            await asyncio.sleep(min(remaining, _GLANCE_SECONDS))
            # It changes when another connection commits, whatever; asking is cheap, and no transaction is left open.
            version = await self._glance("PRAGMA data_version")
            if version != self.version:
                self.version = version
                return

    async def read(self) -> Sequence[Revocation]:
        # A backup that is restored in place takes the counter back, and new rows would come below the last one read.
        highest = await self._glance(_COUNTER)
        if highest < self.last_id:
            raise StorageDown("the database was replaced by an older copy of itself")
        if highest == self.last_id:  # a refresh, most often: it changes the database, and revokes nothing
            return []
        statement = select(revocation.c.id, *COLUMNS).where(revocation.c.id > self.last_id).order_by(revocation.c.id)
        rows = (await self.connection.execute(statement)).all()
        if rows:
            self.last_id = rows[-1].id
        return [to_revocation(row) for row in rows]

    async def _glance(self, sql: str) -> int:
        """A number, past SQLAlchemy: it is asked for twenty times a second."""
        driver: Any = (await self.connection.get_raw_connection()).driver_connection
        try:
            rows = (await driver.run(sql, (), is_many=False)).rows
        except sqlite3.Error as error:
            raise StorageDown(str(error)) from error
        return rows[0][0] if rows else 0


class _NobodyElse:
    """A database in memory: whatever is revoked, this process does."""

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[Reader]:
        yield self

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def read(self) -> Sequence[Revocation]:
        return ()
