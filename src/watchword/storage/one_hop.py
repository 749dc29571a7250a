"""aiosqlite's connection, with one hop to its thread for each statement.

Made a cursor, run, fetched and closed one by one, a statement costs four: on a small one that is most of the time.
"""

import sqlite3
from collections.abc import Awaitable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite
from typing_extensions import override


class OneHopConnection(aiosqlite.Connection):
    """A connection that SQLAlchemy takes from a creator (`create_async_engine(async_creator=…)`)."""

    _is_idle = False
    """Whether the thread has done all that it was asked for. Who was cancelled has left it something to do."""

    @override
    def cursor(self) -> Any:  # SQLAlchemy enters it and does nothing else with it
        return _Cursor(self)

    async def run(self, sql: str, parameters: Iterable[Any], *, is_many: bool) -> "_Ran":
        """Run a statement in the thread, and fetch all that it returns."""
        self._is_idle = False
        ran: _Ran = await self._execute(  # type: ignore[no-untyped-call]  # aiosqlite does not say
            partial(_run, self._conn, sql, parameters, is_many=is_many)
        )
        self._is_idle = True
        return ran

    @override
    async def rollback(self) -> None:
        """Roll back, if there is anything to: SQLAlchemy asks for it after each single read."""
        if not self._is_idle or self.in_transaction:
            await super().rollback()


def connect(path: str, **options: Any) -> Awaitable[aiosqlite.Connection]:  # noqa: ANN401 — those of sqlite3.connect
    """Open a file, as `aiosqlite.connect` does."""
    connection = OneHopConnection(partial(sqlite3.connect, path, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 — as SQLAlchemy has it: a forgotten one keeps no process alive
    return connection


class _Ran:
    __slots__ = ("description", "lastrowid", "rowcount", "rows")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.rows: Sequence[Any] = cursor.fetchall() if cursor.description else ()
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid


def _run(connection: sqlite3.Connection, sql: str, parameters: Iterable[Any], *, is_many: bool) -> _Ran:
    cursor = connection.executemany(sql, parameters) if is_many else connection.execute(sql, tuple(parameters))
    try:
        return _Ran(cursor)
    finally:
        cursor.close()


class _Cursor:
    """What SQLAlchemy uses of a cursor."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def __init__(self, connection: OneHopConnection) -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Self:
        return await self._run(sql, parameters, is_many=False)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        return await self._run(sql, parameters, is_many=True)

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = ()

    async def _run(self, sql: str, parameters: Iterable[Any], *, is_many: bool) -> Self:
        ran = await self._connection.run(sql, parameters, is_many=is_many)
        self.description, self.rowcount, self.lastrowid = ran.description, ran.rowcount, ran.lastrowid
        self._rows = ran.rows
        return self
