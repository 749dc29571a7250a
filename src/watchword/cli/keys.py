"""`watchword keys …`: what its commands do."""

from collections.abc import Sequence

from watchword.cli.database import current_database
from watchword.crypto.sealing import Sealer
from watchword.identity.keyring import Keyring
from watchword.identity.secret_file import secrets_in_force
from watchword.settings import load_settings
from watchword.storage import Database
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
        return await _keyring(database).rotate()


async def revoke_key(kid: str) -> None:
    """Delete a key.

    Raises:
        NotFound: There is none with this id.
        ConfigurationError: The database does not answer, or has another schema.
    """
    async with current_database() as database:
        await _keyring(database).revoke(kid)


def _keyring(database: Database) -> Keyring:
    settings = load_settings()
    return Keyring.of(settings, database, Sealer.from_secrets(secrets_in_force(settings)))
