"""Statements as a transaction of their own, straight to the driver: compiled once, each sent in one round trip.

It is for the few that are the hot path. A transaction by way of SQLAlchemy's asyncio takes a connection,
BEGIN, the statement and COMMIT, on SQLite each with a thread's hop: ten times what the statement itself costs.
"""

import asyncio
import hashlib
import queue
import sqlite3
import threading
from collections import namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import CursorResult, Dialect, Select
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
        core: SQLAlchemy's. It has a `bindparam` for each value that changes, and returns something.
    """

    core: Select[Any] | ReturningInsert[Any] | ReturningUpdate[Any]

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
        # Behind a pooler a backend is several processes' in turn: the same name must mean the same statement to all.
        self.name: Final = f"watchword_{hashlib.sha256(self.sql.encode()).hexdigest()[:32]}"
        self.is_read: Final = isinstance(statement.core, Select)
        self._constants = compiled.params
        self._binds = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        columns = list(statement.core.exported_columns)
        self._row: Any = namedtuple("_row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024 — the columns are known at run time
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
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
        self._leaving: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def first(self, steps: Sequence[Step]) -> Row | None:
        """See `Direct`. It is not run where it gave way to another transaction, or was not prepared."""
        if self._is_closed:
            raise StorageDown("the database was closed")
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
        """Close the connections; one that is in use, when it comes back. Who asks later is told."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().driver.terminate()
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _run(self, steps: Sequence[Step]) -> Row | None:
        if self._places.locked():
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        connection = self._take()
        try:
            connection = connection or await self._open()
            row = await (connection.first(*steps[0]) if len(steps) == 1 else connection.last(steps))
        except BaseException:
            if connection is not None:
                self._leave(connection)  # nobody knows in which state it is
            raise
        else:
            if self._is_closed:
                connection.driver.terminate()
            else:
                self._idle.append(connection)
            return row
        finally:
            self._places.release()

    def _leave(self, connection: "_Connection") -> None:
        """Close a connection whose statement was given up, once the server has given it up too.

        One that waits for a lock would else go on there, and be committed after it was refused here.
        """

        async def close() -> None:
            with suppress(Exception):  # after the time it is terminated
                await connection.driver.close(timeout=_WAIT_SECONDS)

        task = asyncio.create_task(close(), name="watchword closes a connection")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

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

    async def last(self, steps: Sequence[Step]) -> Row | None:
        row: Row | None = None
        await self.driver.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        for statement, values in steps:
            row = await self.first(statement, values)
            if row is None:
                break
        await self.driver.execute("COMMIT")
        return row

    async def first(self, statement: Prepared, values: Mapping[str, Any]) -> Row | None:
        send = self.prepared.get(statement)
        if send is None:
            prepared = await self.driver.prepare(statement.sql, name=statement.name)
            send = self.prepared[statement] = prepared.fetchrow
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
        self._changing = threading.Lock()  # several event loops may share a database

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
        jobs = self._gathered.pop(loop)
        with self._changing:
            if self._thread is not None:
                self._jobs.put(jobs)
                return
        _answer(jobs, [StorageDown("the database was closed")] * len(jobs))

    async def close(self) -> None:
        self._is_closed = True
        await asyncio.sleep(0)  # what was gathered is handed over
        with self._changing:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._jobs.put(None)
        if thread is not None:
            await asyncio.to_thread(thread.join)

    def _start(self) -> None:
        if self._is_closed:
            raise StorageDown("the database was closed")
        if self._thread is not None:
            return
        with self._changing:
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
            outcomes: Sequence[_Outcome]
            try:
                connection = connection or self._connect()
                outcomes = self._do(connection, jobs)
            except Exception as error:  # noqa: BLE001 — those who wait are told, and the thread lives on
                outcomes = [error] * len(jobs)
                if connection is not None:
                    connection.close()  # which rolls back
                    connection = None
            _answer(jobs, outcomes)
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

    def run(self, connection: sqlite3.Connection) -> "_Outcome":
        """Run the steps: all of them, or none. What goes wrong with these values is this job's alone."""
        row: Sequence[Any] | None = None
        # Whoever has gone meanwhile, and gets no answer, has asked for nothing: a refresh would use up their token.
        if self.answer.cancelled():
            return None
        is_alone = len(self.steps) == 1
        if not is_alone:
            connection.execute("SAVEPOINT job")
        try:
            for sql, values in self.steps:
                row = connection.execute(sql, values).fetchone()
                if row is None:
                    break
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError, ValueError) as error:
            if not is_alone:
                connection.execute("ROLLBACK TO job")
            return error
        finally:
            if not is_alone:
                connection.execute("RELEASE job")
        return row


_Outcome = Sequence[Any] | Exception | None
_Work = Callable[[sqlite3.Connection, Sequence[_Job]], Sequence[_Outcome]]


def _run(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> Sequence[_Outcome]:
    return [job.run(connection) for job in jobs]


def _commit(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> Sequence[_Outcome]:
    connection.execute("BEGIN IMMEDIATE")  # which may have waited for seconds
    outcomes = _run(connection, jobs)
    connection.execute("COMMIT")
    return outcomes


def _answer(jobs: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    def tell(told: Sequence[tuple[_Job, _Outcome]]) -> None:
        for job, outcome in told:
            if job.answer.done():  # whoever asked has gone
                continue
            if not isinstance(outcome, Exception):
                job.answer.set_result(outcome)
            elif isinstance(outcome, OSError | sqlite3.OperationalError) or type(outcome) is sqlite3.DatabaseError:
                job.answer.set_exception(StorageDown(f"{type(outcome).__name__}: {outcome}"))
            else:
                job.answer.set_exception(outcome)

    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Job, _Outcome]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        by_loop.setdefault(job.loop, []).append((job, outcome))
    for loop, told in by_loop.items():
        with suppress(RuntimeError):  # a loop that was closed has nobody who waits
            loop.call_soon_threadsafe(tell, told)


def is_going_away(state: str) -> bool:
    """Whether PostgreSQL's word for an error (its SQLSTATE) says that it cannot serve now."""
    # connection exception, read-only after a failover, invalid authorization, no such database, deadlock, insufficient
    # resources, lock not available, cancelled or shut down
    return state.startswith(("08", "25006", "28", "3D", "40", "53", "55P", "57"))
