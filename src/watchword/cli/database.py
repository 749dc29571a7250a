"""`watchword db …`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from watchword.errors import StorageDown
from watchword.flows.end_everything import Ended, EndEverything
from watchword.flows.manage_outbox import ManageOutbox
from watchword.flows.prune import Prune, Pruned
from watchword.model import OutboxEntry
from watchword.settings import load_settings
from watchword.storage import Database, open_database, schema
from watchword.storage.schema import SchemaState, require_current


async def upgrade_schema() -> tuple[str | None, str]:
    """Migrate; the version before and the one now.

    Raises:
        ConfigurationError: The database does not answer, or is newer than this version.
    """
    database = open_database(load_settings())
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
    database = open_database(load_settings())
    try:
        return await schema.schema_state(database)
    except StorageDown as error:
        raise error.at_startup() from None
    finally:
        await database.close()


async def prune_database() -> Pruned:
    """Delete what has ended.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database:
        return await Prune(database, load_settings().events_kept_for)()


async def after_restore(*, keep_api_keys: bool, keep_recovery_codes: bool) -> Ended:
    """End every session, token, link and, unless they are kept, API key and recovery code.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database:
        return await EndEverything(database)(keep_api_keys=keep_api_keys, keep_recovery_codes=keep_recovery_codes)


async def every_mail() -> list[OutboxEntry]:
    """What was not sent, page by page.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    found: list[OutboxEntry] = []
    async with current_database() as database:
        outbox = ManageOutbox(database)
        while page := await outbox.page(after=found[-1].id if found else None, limit=500):
            found.extend(page)
    return found


async def retry_mail(mail_id: UUID | None) -> int:
    """Have one mail tried again, or all that were given up; how many.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
        NotFound: There is no such mail.
    """
    async with current_database() as database:
        return await ManageOutbox(database).retry(mail_id)


@asynccontextmanager
async def current_database() -> AsyncIterator[Database]:
    """The database of the settings, within a block.

    Raises:
        ConfigurationError: It does not answer, or has another schema.
    """
    database = open_database(load_settings())
    try:
        await require_current(database)
        yield database
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
