"""`watchword keys …`: what its commands do."""

from collections.abc import Sequence

from watchword.cli.database import current_database
from watchword.identity.keyring import Keyring
from watchword.settings import load_settings
from watchword.storage.signing_keys import StoredKey


async def read_keys() -> Sequence[StoredKey]:
    """Every key.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database, database.reading() as stores:
        return await stores.signing_keys.all()


async def rotate_keys() -> Sequence[StoredKey]:
    """Publish the next keys; every key, as they are then.

    Raises:
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database:
        return await Keyring.of(load_settings(), database).rotate()


async def revoke_key(kid: str) -> None:
    """Delete a key.

    Raises:
        NotFound: There is none with this id.
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database:
        await Keyring.of(load_settings(), database).revoke(kid)
