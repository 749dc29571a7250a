"""One statement as a transaction of its own, straight to the driver: compiled once, sent in one round trip.

It is for the few statements that are the hot path. A transaction by way of SQLAlchemy's asyncio takes a connection,
BEGIN, the statement and COMMIT, on SQLite each with a thread's hop: ten times what the statement itself costs.
"""

import asyncio
import queue
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import ClauseElement, ColumnElement, Dialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler

from watchword.errors import StorageDown

_WAIT_SECONDS: Final = 2
# Serialization failure, deadlock; and what was prepared is gone, stale or there already: a pooler changed the backend,
# or a migration the table. In each case nothing was run, and an ordinary transaction decides.
_NOT_RUN: Final = {"40001", "40P01", "26000", "0A000", "42P05"}

Row = Any
"""A named tuple of the columns that a statement returns."""


class Prepared:
    """A statement as one database's driver takes it.

    Args:
        statement: It has a `bindparam` for each value that changes.
        columns: What it returns.
        dialect: The database's.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[ColumnElement[Any]], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self.sql: Final = compiled.string
        self._constants = compiled.params
        self._binds = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._row: Any = namedtuple("_row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024 — the columns are known at run time
        self._results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order in which the driver wants them."""
        every = {**self._constants, **values}
        return [every[name] if process is None else process(every[name]) for name, process in self._binds]

    def read(self, values: Sequence[Any]) -> Row:
        """What came back, as Python's types."""
        return self._row._make(
            value if process is None else process(value) for value, process in zip(values, self._results, strict=True)
        )


class Direct(Protocol):
    """A way to the driver."""

    async def first(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        """Run a statement and commit it; the first row it returns, None if there is none.

        Raises:
            StorageDown: The database does not answer, or is locked for too long; it may have been run or not.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class DirectPostgresql:
    """A few connections of its own. Each statement is one round trip: the driver keeps it prepared.

    Args:
        engine: Opens connections.
        size: At most so many.
    """

    def __init__(self, engine: AsyncEngine, size: int) -> None:
        self._engine = engine
        self._places = asyncio.Semaphore(size)
        self._idle: list[_Connection] = []
        self._is_closed = False

    async def first(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        """See `Direct`. None, too, where it was not run: it gave way to another transaction, or was not prepared."""
        try:
            row = await self._fetch(statement, values)
        except (OSError, TimeoutError) as error:
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            state = getattr(error, "sqlstate", None)
            if state in _NOT_RUN:
                return None
            if state is None or is_going_away(state):  # without a state it is the driver that has lost its connection
                raise StorageDown(f"{type(error).__name__}: {error}") from error
            raise
        return None if row is None else statement.read(row)

    async def close(self) -> None:
        """Close the connections; one that is in use, when it comes back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().driver.terminate()

    async def _fetch(self, statement: Prepared, values: Mapping[str, Any]) -> Sequence[Any] | None:
        if self._places.locked():
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        connection = self._take()
        try:
            connection = connection or await self._open()
            send = connection.prepared.get(statement) or await connection.prepare(statement)
            row: Sequence[Any] | None = await send(*statement.bind(values))
        except BaseException:
            if connection is not None:
                connection.driver.terminate()  # nobody knows in which state it is
            raise
        else:
            if self._is_closed:
                connection.driver.terminate()
            else:
                self._idle.append(connection)
            return row
        finally:
            self._places.release()

    def _take(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            # A backend that went away has closed its socket, which the event loop saw.
            if not connection.driver.is_closed():
                return connection
        return None

    async def _open(self) -> "_Connection":
        opened = await self._engine.raw_connection()
        driver = opened.driver_connection
        opened.detach()
        return _Connection(driver)


@dataclass(slots=True)
class _Connection:
    """A connection of asyncpg, and what it keeps prepared."""

    driver: Any
    prepared: "dict[Prepared, Callable[..., Awaitable[Sequence[Any] | None]]]" = field(default_factory=dict)

    async def prepare(self, statement: Prepared) -> Callable[..., Awaitable[Sequence[Any] | None]]:
        send: Callable[..., Awaitable[Sequence[Any] | None]] = (await self.driver.prepare(statement.sql)).fetchrow
        self.prepared[statement] = send
        return send


class DirectSqlite:
    """A thread with a connection of its own, which commits together what came in while it committed the last.

    A durable commit waits for the disk; of eight clients that come at once, seven would wait for each other's.

    Args:
        connect: Opens a connection that commits when it is told to.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._jobs: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    async def first(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        """See `Direct`."""
        self._start()
        loop = asyncio.get_running_loop()
        job = _Job(statement.sql, statement.bind(values), loop, loop.create_future())
        gathered = self._gathered.get(loop)
        if gathered is None:  # the thread is woken once for all that this turn of the event loop asks for
            gathered = self._gathered[loop] = []
            loop.call_soon(self._hand_over, loop)
        gathered.append(job)
        row = await job.answer
        return None if row is None else statement.read(row)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._jobs.put(self._gathered.pop(loop))

    async def close(self) -> None:
        """End the thread, when it has done what was asked for. Who asks later is told that there is no database."""
        self._is_closed = True
        if self._thread is not None:
            await asyncio.sleep(0)  # what was gathered is handed over
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _start(self) -> None:
        if self._is_closed:
            raise StorageDown("the database was closed")
        if self._thread is None:
            thread = threading.Thread(target=self._work, name="watchword-sqlite", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # as many threads as the system allows
                raise StorageDown(str(error)) from error
            self._thread = thread

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            jobs = self._next_jobs()
            rows: Sequence[Any] = ()
            failure: Exception | None = None
            if jobs:
                try:
                    connection = connection or self._connect()
                    rows = _commit(connection, jobs)
                except Exception as error:  # noqa: BLE001 — those who wait are told, and the thread lives on
                    failure = error
            if connection is not None and (failure is not None or not jobs):
                connection.close()  # which rolls back
                connection = None
            if not jobs:
                return
            _answer(jobs, rows, failure)

    def _next_jobs(self) -> "list[_Job]":
        """What waits, when something does; nothing at the end."""
        handed = self._jobs.get()
        jobs: list[_Job] = []
        with suppress(queue.Empty):
            while handed is not None:
                jobs += handed
                handed = self._jobs.get_nowait()
        if handed is None and jobs:
            self._jobs.put(None)  # the end comes after these
        return jobs


@dataclass(frozen=True, slots=True)
class _Job:
    sql: str
    values: Sequence[Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Sequence[Any] | None]


def _commit(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> Sequence[Sequence[Any] | None]:
    connection.execute("BEGIN IMMEDIATE")  # which may have waited for seconds
    # Whoever has gone meanwhile, and gets no answer, has asked for nothing: a refresh would use up their token.
    rows = [None if job.answer.cancelled() else connection.execute(job.sql, job.values).fetchone() for job in jobs]
    connection.execute("COMMIT")
    return rows


def _answer(jobs: Sequence[_Job], rows: Sequence[Sequence[Any] | None], failure: Exception | None) -> None:
    def tell(told: Sequence[tuple[_Job, Sequence[Any] | None]]) -> None:
        for job, row in told:
            if job.answer.done():  # whoever asked has gone
                continue
            if failure is None:
                job.answer.set_result(row)
            elif isinstance(failure, sqlite3.DatabaseError | OSError):
                job.answer.set_exception(StorageDown(f"{type(failure).__name__}: {failure}"))
            else:
                job.answer.set_exception(failure)

    rows = rows or [None] * len(jobs)
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, Sequence[Any] | None]]] = {}
    for job, row in zip(jobs, rows, strict=True):
        by_loop.setdefault(job.loop, []).append((job, row))
    for loop, told in by_loop.items():
        with suppress(RuntimeError):  # a loop that was closed has nobody who waits
            loop.call_soon_threadsafe(tell, told)


def is_going_away(state: str) -> bool:
    """Whether PostgreSQL's word for an error (its SQLSTATE) says that it cannot serve now."""
    # connection exception, read-only after a failover, invalid authorization, no such database, deadlock, insufficient
    # resources, lock not available, cancelled or shut down
    return state.startswith(("08", "25006", "28", "3D", "40", "53", "55P", "57"))
