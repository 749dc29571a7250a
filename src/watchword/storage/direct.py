"""Statements as a transaction of their own, straight to the driver: compiled once, each sent in one round trip.

It is for the few that are the hot path. A transaction by way of SQLAlchemy's asyncio takes a connection,
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

from sqlalchemy import ColumnElement, CursorResult, Dialect, Select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from watchword.errors import StorageDown

_WAIT_SECONDS: Final = 2
# Serialization failure, deadlock; and what was prepared is gone, stale or there already: a pooler changed the backend,
# or a migration the table. In each case nothing was run, and an ordinary transaction decides.
_NOT_RUN: Final = {"40001", "40P01", "26000", "0A000", "42P05"}

Row = Any
"""A named tuple of the columns that a statement returns."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement that is built once, and run with other values each time.

    Attributes:
        core: SQLAlchemy's. It has a `bindparam` for each value that changes.
        columns: What it returns.
    """

    core: Select[Any] | ReturningInsert[Any] | ReturningUpdate[Any]
    columns: Sequence[ColumnElement[Any]]

    def __call__(self, **values: Any) -> "Call":  # noqa: ANN401 — whatever its parameters take
        """With values for its parameters."""
        return Call(self, values)


@dataclass(frozen=True, slots=True)
class Call:
    """A statement with its values, to be sent by itself (`Database.send`) or run in a transaction."""

    statement: Statement
    values: Mapping[str, Any] = field(repr=False)

    async def on(self, connection: AsyncConnection) -> CursorResult[Any]:
        """Run it on a connection of SQLAlchemy's."""
        ran: CursorResult[Any] = await connection.execute(self.statement.core, self.values)
        return ran


class NotRun(Exception):
    """Nothing was run, for a reason that an ordinary transaction does not have."""


class Prepared:
    """A statement as one database's driver takes it.

    Args:
        statement: Which.
        dialect: The database's.
    """

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.core.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self.sql: Final = compiled.string
        self.is_read: Final = isinstance(statement.core, Select)
        self._constants = compiled.params
        self._binds = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        self._row: Any = namedtuple("_row", [column.key for column in statement.columns])  # type: ignore[misc]  # noqa: PYI024 — the columns are known at run time
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.columns]
        self._results = [(index, process) for index, process in enumerate(processors) if process is not None]

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order in which the driver wants them."""
        every = {**self._constants, **values}
        return [every[name] if process is None else process(every[name]) for name, process in self._binds]

    def read(self, values: Sequence[Any]) -> Row:
        """What came back, as Python's types."""
        row = list(values)
        for index, process in self._results:
            row[index] = process(row[index])
        return self._row(*row)


Step = tuple[Prepared, Mapping[str, Any]]
"""A statement and its values."""


class Direct(Protocol):
    """A way to the driver."""

    async def first(self, steps: Sequence[Step]) -> Row | None:
        """Run statements and commit them, each only where the one before it returned a row.

        Returns:
            The first row of the last one; None where one returned none.

        Raises:
            NotRun: This way, it could not be done.
            StorageDown: The database does not answer, or is locked for too long; it may have been done or not.
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

    async def first(self, steps: Sequence[Step]) -> Row | None:
        """See `Direct`. It is not run where it gave way to another transaction, or was not prepared."""
        try:
            return await self._run(steps)
        except (OSError, TimeoutError) as error:
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            state = getattr(error, "sqlstate", None)
            if state in _NOT_RUN:
                raise NotRun from error
            if state is None or is_going_away(state):  # without a state it is the driver that has lost its connection
                raise StorageDown(f"{type(error).__name__}: {error}") from error
            raise

    async def close(self) -> None:
        """Close the connections; one that is in use, when it comes back."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().driver.terminate()

    async def _run(self, steps: Sequence[Step]) -> Row | None:
        if self._places.locked():
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        connection = self._take()
        try:
            connection = connection or await self._open()
            if len(steps) == 1:
                row = await connection.first(*steps[0])
            else:
                async with connection.driver.transaction(isolation="read_committed"):
                    for statement, values in steps:
                        row = await connection.first(statement, values)
                        if row is None:
                            break
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

    async def first(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        send = self.prepared.get(statement)
        if send is None:
            send = self.prepared[statement] = (await self.driver.prepare(statement.sql)).fetchrow
        row = await send(*statement.bind(values))
        return None if row is None else statement.read(row)


class DirectSqlite:
    """Two threads with a connection each: one writes, and one reads, which waits for no lock.

    Args:
        connect: Opens a connection that commits when it is told to.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._reader = _Thread("watchword-sqlite-reader", connect, _run)
        self._writer = _Thread("watchword-sqlite-writer", connect, _commit)

    async def first(self, steps: Sequence[Step]) -> Row | None:
        """See `Direct`."""
        only_reads = all(statement.is_read for statement, _ in steps)
        row = await (self._reader if only_reads else self._writer).run(
            [(statement.sql, statement.bind(values)) for statement, values in steps]
        )
        return None if row is None else steps[-1][0].read(row)

    async def close(self) -> None:
        """End the threads, when they have done what was asked for. Who asks later is told that there is no database."""
        await self._reader.close()
        await self._writer.close()


class _Thread:
    """Does together what came in while it did the last.

    A durable commit waits for the disk; of eight clients that come at once, seven would wait for each other's.
    """

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection], work: "_Work") -> None:
        self._name = name
        self._connect = connect
        self._do = work
        self._jobs: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        self._thread: threading.Thread | None = None
        self._is_closed = False

    async def run(self, steps: "Sequence[_Bound]") -> Sequence[Any] | None:
        self._start()
        loop = asyncio.get_running_loop()
        job = _Job(steps, loop, loop.create_future())
        gathered = self._gathered.get(loop)
        if gathered is None:  # the thread is woken once for all that this turn of the event loop asks for
            gathered = self._gathered[loop] = []
            loop.call_soon(self._hand_over, loop)
        gathered.append(job)
        return await job.answer

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._jobs.put(self._gathered.pop(loop))

    async def close(self) -> None:
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
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # as many threads as the system allows
                raise StorageDown(str(error)) from error
            self._thread = thread

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while jobs := self._next_jobs():
            rows: Sequence[Any] = ()
            failure: Exception | None = None
            try:
                connection = connection or self._connect()
                rows = self._do(connection, jobs)
            except Exception as error:  # noqa: BLE001 — those who wait are told, and the thread lives on
                failure = error
                if connection is not None:
                    connection.close()  # which rolls back
                    connection = None
            _answer(jobs, rows, failure)
        if connection is not None:
            connection.close()

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


_Bound = tuple[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Job:
    steps: Sequence[_Bound]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Sequence[Any] | None]

    def run(self, connection: sqlite3.Connection) -> Sequence[Any] | None:
        row: Sequence[Any] | None = None
        # Whoever has gone meanwhile, and gets no answer, has asked for nothing: a refresh would use up their token.
        if not self.answer.cancelled():
            for sql, values in self.steps:
                row = connection.execute(sql, values).fetchone()
                if row is None:
                    break
        return row


_Work = Callable[[sqlite3.Connection, Sequence[_Job]], Sequence[Sequence[Any] | None]]


def _run(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> Sequence[Sequence[Any] | None]:
    return [job.run(connection) for job in jobs]


def _commit(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> Sequence[Sequence[Any] | None]:
    connection.execute("BEGIN IMMEDIATE")  # which may have waited for seconds
    rows = _run(connection, jobs)
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
