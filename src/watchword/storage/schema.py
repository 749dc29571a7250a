"""The schema's version, and how it is brought up to date: Alembic migrations that ship in the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table, text

from watchword.errors import ConfigurationError
from watchword.storage.database import Database
from watchword.storage.tables import PREFIX

HEAD: Final = "0008"
"""The newest migration; a test compares it with the files."""

VERSION_TABLE: Final = f"{PREFIX}alembic_version"
_UPGRADE_LOCK: Final = 8_245_931_077_112_441  # any number that nobody else locks


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What the database has and what this version of Watchword needs."""

    current: str | None
    needed: str = HEAD

    @property
    def is_current(self) -> bool:
        """Whether nothing is to be done."""
        return self.current == self.needed

    @property
    def is_unknown(self) -> bool:
        """Whether the database was upgraded by a newer Watchword."""
        return self.current is not None and self.current > self.needed


async def schema_state(database: Database) -> SchemaState:
    """Read the schema's version.

    Raises:
        StorageDown: The database does not answer.
    """
    async with database.connection() as connection:
        return SchemaState(await connection.run_sync(_current))


async def upgrade(database: Database) -> SchemaState:
    """Run the migrations that are missing, in one transaction; of several processes one does it and the others wait.

    Returns:
        The state before.

    Raises:
        ConfigurationError: The schema is newer than this version of Watchword knows.
        StorageDown: The database does not answer.
    """
    before = await schema_state(database)
    if before.is_unknown:
        raise ConfigurationError(unknown_schema(before))
    if not before.is_current:
        async with database.connection(writes=True) as connection:
            await connection.run_sync(_upgrade)
    return before


def unknown_schema(state: SchemaState) -> str:
    """What to tell an operator whose database is ahead."""
    return f"the database schema is at {state.current}, newer than this Watchword's {state.needed}: upgrade the package"


async def require_current(database: Database) -> None:
    """Refuse to run on another schema.

    Raises:
        ConfigurationError: It says what to run.
        StorageDown: The database does not answer.
    """
    state = await schema_state(database)
    if state.is_unknown:
        raise ConfigurationError(unknown_schema(state))
    if not state.is_current:
        found = "has no Watchword tables" if state.current is None else f"is at schema {state.current}"
        raise ConfigurationError(f"the database {found}, {state.needed} is needed: run `watchword db upgrade`")


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    return version


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
