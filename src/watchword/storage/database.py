"""Connections and transactions on SQLite and PostgreSQL."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import event, select
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import DisconnectionError as StaleConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from watchword.errors import ConfigurationError, StorageDown
from watchword.storage.signing_keys import SigningKeyStore
from watchword.storage.users import UserStore

_OLDEST_SQLITE: Final = (3, 35)  # RETURNING
_CONNECT_SECONDS: Final = 5
_STATEMENT_SECONDS: Final = 10
_POOL_WAIT_SECONDS: Final = 2
_SQLITE_LOCK_SECONDS: Final = 5
_WRITES: Final = "watchword_writes"


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one connection."""

    users: UserStore
    signing_keys: SigningKeyStore

    @classmethod
    def on(cls, connection: AsyncConnection) -> "Stores":
        """All stores, on one connection."""
        return cls(UserStore(connection), SigningKeyStore(connection))


class Database:
    """One database and its pool of connections.

    Args:
        url: A `sqlite+aiosqlite://` or `postgresql+asyncpg://` address.
        pool_size: Connections at most.

    Raises:
        ConfigurationError: The driver is not installed, the address unusable or SQLite too old.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        try:
            self.url: Final = make_url(url)
            self.engine: Final = _make_engine(self.url, pool_size)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"WATCHWORD_DATABASE_URL needs the package {error.name}: install watchword[postgres]"
            ) from None
        except Exception:  # noqa: BLE001 — whatever the parser says may quote the password; it is left out
            raise ConfigurationError("WATCHWORD_DATABASE_URL is not an address that SQLAlchemy can read") from None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Stores]:
        """One transaction for writing: committed when the block ends, rolled back when it raises.

        Raises:
            StorageDown: The database does not answer, is locked for too long, or no connection is free in time.
        """
        async with self.connection(writes=True) as connection:
            yield Stores.on(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Stores]:
        """Single reads, each for itself, without a transaction around them.

        Raises:
            StorageDown: As `transaction`.
        """
        async with self.connection() as connection:
            yield Stores.on(connection)

    @asynccontextmanager
    async def connection(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """What `transaction` and `reading` are made of: one connection, in a transaction if it writes."""
        with _unavailable():
            async with self.engine.connect() as connection:
                if writes:
                    await connection.execution_options(**{_WRITES: True})
                    async with connection.begin():
                        yield connection
                else:
                    # SQLite sends no BEGIN unless the connection writes; on PostgreSQL it has to be said.
                    if self.url.get_backend_name() == "postgresql":
                        await connection.execution_options(isolation_level="AUTOCOMMIT")
                    yield connection

    async def ping(self) -> None:
        """One round trip.

        Raises:
            StorageDown: Nobody answers.
        """
        async with self.connection() as connection:
            await connection.execute(select(1))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


@contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what the drivers raise when the database is away into the one refusal that says so."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError) as error:
        raise StorageDown(f"{type(error).__name__}: {_first_line(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_going_away(error):
            raise StorageDown(f"{type(error).__name__}: {_first_line(error)}") from error
        raise


def _is_going_away(error: DBAPIError) -> bool:
    if type(error) is DatabaseError:  # SQLite's word for a file that is damaged or no database
        return True
    # PostgreSQL's classes: connection exception, read-only after a failover, invalid authorization, no such database,
    # deadlock, insufficient resources, lock not available, cancelled or shut down
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(("08", "25006", "28", "3D", "40", "53", "55P", "57"))


def _first_line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return str(original).partition("\n")[0]


def _make_engine(url: URL, pool_size: int) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise ConfigurationError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 is needed")
        return _sqlite_engine(url, pool_size)
    return _postgresql_engine(url, pool_size)


def _sqlite_engine(url: URL, pool_size: int) -> AsyncEngine:
    # isolation_level None: the driver sends no BEGIN of its own, we say which transactions write.
    arguments = {"isolation_level": None, "timeout": _SQLITE_LOCK_SECONDS}
    if url.database in {
        None,
        "",
        ":memory:",
    }:  # one connection, kept, or each would have a database of its own
        engine = create_async_engine(url, connect_args=arguments)
    else:
        engine = create_async_engine(
            url, connect_args=arguments, pool_size=pool_size, max_overflow=0, pool_timeout=_POOL_WAIT_SECONDS
        )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 — a DBAPI connection
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later cannot lose it midway.
        if connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql_engine(url: URL, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _STATEMENT_SECONDS,
            "server_settings": {"application_name": "watchword"},
        },
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def drop_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 — a DBAPI connection
        # A backend that went away has closed its socket, which the event loop saw: no round trip is needed to know.
        if connection.driver_connection.is_closed():
            raise StaleConnection

    return engine
