"""`watchword db …`."""

from watchword.errors import StorageDown
from watchword.settings import load_settings
from watchword.storage import Database, schema
from watchword.storage.schema import SchemaState


def open_database() -> Database:
    """The database of the settings.

    Raises:
        ConfigurationError: A setting cannot be used.
    """
    settings = load_settings()
    return Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)


async def upgrade_schema() -> tuple[str | None, str]:
    """Migrate; the version before and the one now.

    Raises:
        ConfigurationError: The database does not answer, or is newer than this version.
    """
    database = open_database()
    try:
        before = await schema.upgrade(database)
    except StorageDown as error:
        raise error.at_startup() from None
    finally:
        await database.close()
    return before.current, before.needed


async def read_state() -> SchemaState:
    """The version that is there and the one that is needed.

    Raises:
        ConfigurationError: The database does not answer.
    """
    database = open_database()
    try:
        return await schema.schema_state(database)
    except StorageDown as error:
        raise error.at_startup() from None
    finally:
        await database.close()


def describe_state(state: SchemaState) -> str:
    """What there is, and what to do about it."""
    if state.is_current:
        return f"Up to date: {state.current}."
    if state.is_unknown:
        return f"At {state.current}, newer than the {state.needed} of this version: upgrade the package."
    return f"At {state.current or 'none'}, {state.needed} is needed: run `watchword db upgrade`."
