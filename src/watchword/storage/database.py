"""Connections and transactions on SQLite and PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import NullPool, event, select
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import DisconnectionError as StaleConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from watchword.errors import ConfigurationError, StorageDown
from watchword.model import Revocation
from watchword.settings import Settings
from watchword.storage.api_keys import ApiKeyStore
from watchword.storage.attempts import AttemptStore
from watchword.storage.authorization_codes import AuthorizationCodeStore
from watchword.storage.browser_sessions import BrowserSessionStore
from watchword.storage.clients import ClientStore
from watchword.storage.consents import ConsentStore
from watchword.storage.direct import (
    Call,
    Direct,
    DirectPostgresql,
    DirectSqlite,
    NotRun,
    Prepared,
    Row,
    Statement,
    is_going_away,
)
from watchword.storage.events import EventStore
from watchword.storage.logout_notices import LogoutNoticeStore
from watchword.storage.one_time_tokens import OneTimeTokenStore
from watchword.storage.outbox import OutboxStore
from watchword.storage.revocations import RevocationStore
from watchword.storage.roles import RoleStore
from watchword.storage.sealed import SealedStore
from watchword.storage.second_factors import SecondFactorStore
from watchword.storage.sessions import SessionStore
from watchword.storage.signing_keys import SigningKeyStore
from watchword.storage.users import UserStore

_OLDEST_SQLITE: Final = (3, 35)  # RETURNING
_CONNECT_SECONDS: Final = 5
_STATEMENT_SECONDS: Final = 10
_POOL_WAIT_SECONDS: Final = 2
_SQLITE_LOCK_SECONDS: Final = 5
_WRITES: Final = "watchword_writes"
# FULL: a power cut must not bring a used or revoked token back.
PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
"""How each connection to SQLite is set."""
# isolation_level None: the driver sends no BEGIN of its own, we say which transactions write.
_ASYNCPG_OPTIONS: Final[dict[str, Any]] = {
    "timeout": _CONNECT_SECONDS,
    "command_timeout": _STATEMENT_SECONDS,
    "server_settings": {"application_name": "watchword"},
}
_SQLITE_OPTIONS: Final[dict[str, Any]] = {"isolation_level": None, "timeout": _SQLITE_LOCK_SECONDS}
_MARGIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one connection."""

    users: UserStore
    roles: RoleStore
    sessions: SessionStore
    revocations: RevocationStore
    events: EventStore
    signing_keys: SigningKeyStore
    api_keys: ApiKeyStore
    clients: ClientStore
    one_time_tokens: OneTimeTokenStore
    outbox: OutboxStore
    second_factors: SecondFactorStore
    attempts: AttemptStore
    browser_sessions: BrowserSessionStore
    logout_notices: LogoutNoticeStore
    authorization_codes: AuthorizationCodeStore
    consents: ConsentStore
    sealed: SealedStore

    @classmethod
    def on(cls, connection: AsyncConnection, *, revocations_kept_for: timedelta) -> "Stores":
        """All stores, on one connection."""
        revocations = RevocationStore(connection, revocations_kept_for)
        return cls(
            UserStore(connection, revocations),
            RoleStore(connection, revocations),
            SessionStore(connection, revocations),
            revocations,
            EventStore(connection),
            SigningKeyStore(connection),
            ApiKeyStore(connection, revocations),
            ClientStore(connection, revocations),
            OneTimeTokenStore(connection),
            OutboxStore(connection),
            SecondFactorStore(connection),
            AttemptStore(connection),
            BrowserSessionStore(connection),
            LogoutNoticeStore(connection),
            AuthorizationCodeStore(connection),
            ConsentStore(connection),
            SealedStore(connection),
        )


class Database:
    """One database and its pool of connections.

    Args:
        url: A `sqlite+aiosqlite://` or `postgresql+asyncpg://` address.
        pool_size: Connections at most; half of them are kept for statements that are sent by themselves.
        token_lifetime: The life of the longest access token; revocations are kept for a little longer.

    Raises:
        ConfigurationError: The driver is not installed, the address unusable or SQLite too old.
    """

    def __init__(self, url: str, *, pool_size: int = 10, token_lifetime: timedelta = timedelta(minutes=15)) -> None:
        self._alone: Final = asyncio.Lock()
        self._statements: Final[dict[Statement, Prepared]] = {}
        self.revocations_kept_for: Final = token_lifetime + _MARGIN
        self._on_revoked: Callable[[Sequence[Revocation]], None] = _nobody_listens
        try:
            self.url: Final = make_url(url)
            for_statements = max(1, pool_size // 2)
            self.engine: Final = _make_engine(self.url, max(1, pool_size - for_statements))
            self.direct: Final = self._make_direct(for_statements)
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
        written: Sequence[Revocation] = ()
        try:
            async with self.connection(writes=True) as connection:
                stores = self._stores(connection)
                written = stores.revocations.written
                yield stores
        finally:  # where the commit failed too: it may have happened, and forgetting harms nobody
            if written:
                self._on_revoked(written)

    async def send(self, *calls: Call) -> Row | None:
        """Run statements as one transaction, past the pool: the hot path.

        Each is run only where the one before it returned a row.

        Returns:
            The first row of the last one; None where one returned none.

        Raises:
            StorageDown: As `transaction`; it may have been done or not.
        """
        if self.direct is not None:
            with suppress(NotRun):
                return await self.direct.first([(self._prepared(call.statement), call.values) for call in calls])
        row: Row | None = None
        async with self.connection(writes=True) as connection:
            for call in calls:
                row = (await call.on(connection)).first()
                if row is None:
                    break
        return row

    def _prepared(self, statement: Statement) -> Prepared:
        found = self._statements.get(statement)
        if found is None:
            found = self._statements[statement] = Prepared(statement, self.engine.dialect)
        return found

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Stores]:
        """Single reads, each for itself, without a transaction around them.

        Raises:
            StorageDown: As `transaction`.
        """
        async with self.connection() as connection:
            yield self._stores(connection)

    @asynccontextmanager
    async def connection(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """What `transaction` and `reading` are made of: one connection, in a transaction if it writes."""
        with _unavailable():
            async with self._turn(), self.engine.connect() as connection:
                if writes:
                    await connection.execution_options(**{_WRITES: True})
                    async with connection.begin():
                        yield connection
                else:
                    # SQLite sends no BEGIN unless the connection writes; on PostgreSQL it has to be said.
                    if self.is_postgresql:
                        await connection.execution_options(isolation_level="AUTOCOMMIT")
                    yield connection

    def _turn(self) -> AbstractAsyncContextManager[object]:
        """One at a time where all share the one connection that a database in memory has; else nothing."""
        return self._alone if self.is_in_memory else nullcontext()

    def on_revoked(self, listener: Callable[[Sequence[Revocation]], None]) -> None:
        """Tell a listener, after each commit, what this process revoked: it need not hear it from the database."""
        self._on_revoked = listener

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL, and not SQLite."""
        return self.url.get_backend_name() == "postgresql"

    @property
    def is_in_memory(self) -> bool:
        """Whether it is a SQLite database of this process alone."""
        return not self.is_postgresql and self.url.database in {None, "", ":memory:"}

    def _stores(self, connection: AsyncConnection) -> Stores:
        return Stores.on(connection, revocations_kept_for=self.revocations_kept_for)

    async def ping(self) -> None:
        """One round trip.

        Raises:
            StorageDown: Nobody answers.
        """
        async with self.connection() as connection:
            await connection.execute(select(1))

    async def close(self) -> None:
        """Close every connection."""
        if self.direct is not None:
            await self.direct.close()
        await self.engine.dispose()

    def _make_direct(self, size: int) -> Direct | None:
        """A way around the pool, for single statements; none to a database in memory, which has one connection."""
        if self.is_in_memory:
            return None
        if self.is_postgresql:
            # Its own way to open connections: those of the pool may be in use to the last one.
            return DirectPostgresql(
                create_async_engine(self.url, poolclass=NullPool, connect_args=_ASYNCPG_OPTIONS), size
            )
        file, options = _sqlite_arguments(self.url)

        def connect() -> sqlite3.Connection:
            connection: sqlite3.Connection = sqlite3.connect(file, **options)
            _set_pragmas(connection)
            return connection

        return DirectSqlite(connect)


def _nobody_listens(_revocations: Sequence[Revocation]) -> None:
    return


def open_database(settings: Settings, *, direct: bool = False) -> Database:
    """The database of the settings.

    Args:
        settings: Where it is.
        direct: One connection of its own, past a pooler where the settings tell a way.

    Raises:
        ConfigurationError: See `Database`.
    """
    around_pooler = settings.database_direct_url if direct else None
    return Database(
        (around_pooler or settings.database_url).get_secret_value(),
        pool_size=1 if direct else settings.database_pool_size,
        token_lifetime=settings.access_token_lifetime,
    )


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
    return is_going_away(getattr(error.orig, "sqlstate", None) or "")


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
    from watchword.storage.one_hop import connect  # where the database is PostgreSQL, its library is not loaded

    file, options = _sqlite_arguments(url)
    if url.database in {None, "", ":memory:"}:
        # One connection at a time. The one whose statement is cancelled is dropped: another keeps the database alive.
        file, options = f"file:watchword-{uuid4().hex}?mode=memory&cache=shared", {**options, "uri": True}
        keeper = sqlite3.connect(file, uri=True, check_same_thread=False)
        engine = create_async_engine(url, async_creator=partial(connect, file, **options))

        @event.listens_for(engine.sync_engine, "engine_disposed")
        def let_go(_engine: object) -> None:
            keeper.close()

    else:
        engine = create_async_engine(
            url,
            async_creator=partial(connect, file, **options),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_POOL_WAIT_SECONDS,
        )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 — a DBAPI connection
        _set_pragmas(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a transaction that reads first and writes later cannot lose it midway.
        if connection.get_execution_options().get(_WRITES):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _sqlite_arguments(url: URL) -> tuple[str, dict[str, Any]]:
    """What `sqlite3.connect` takes to open the file of an address."""
    arguments, options = url.get_dialect()().create_connect_args(url)
    return arguments[0], {**options, **_SQLITE_OPTIONS}


def _set_pragmas(connection: Any) -> None:  # noqa: ANN401 — a DBAPI connection
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgresql_engine(url: URL, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        isolation_level="READ COMMITTED",  # whatever the database's default: a compare-and-swap reads what is there now
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        connect_args=_ASYNCPG_OPTIONS,
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def drop_closed(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401 — a DBAPI connection
        # A backend that went away has closed its socket, which the event loop saw: no round trip is needed to know.
        if connection.driver_connection.is_closed():
            raise StaleConnection

    return engine
