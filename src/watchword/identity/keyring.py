"""The signing keys of this installation: made at the first start, sealed in the database, opened at every start."""

import asyncio
from collections.abc import Collection

from watchword.crypto.keys import KeySet, SigningKey, generate_key
from watchword.crypto.sealing import SealBroken, Sealer, UnknownSealKey, row_context
from watchword.errors import ConfigurationError
from watchword.settings import SigningAlgorithm
from watchword.storage import Database
from watchword.storage.signing_keys import SealedKey


async def open_keyring(storage: Database, sealer: Sealer, algorithms: Collection[SigningAlgorithm]) -> KeySet:
    """Open the keys, making those that are missing. Processes that start at once end up with one set.

    Raises:
        ConfigurationError: A key was sealed under a secret that is not in `WATCHWORD_SECRET`.
        StorageDown: The database does not answer.
    """
    async with storage.reading() as stores:
        rows = await stores.signing_keys.active()
    missing = set(algorithms) - {row.algorithm for row in rows}
    if missing:
        made = [_seal(await asyncio.to_thread(generate_key, algorithm), sealer) for algorithm in sorted(missing)]
        async with storage.transaction() as stores:
            for key in made:  # the index on active keys lets one process win; all read back what won
                await stores.signing_keys.add_active(key)
            rows = await stores.signing_keys.active()
    return KeySet.of(_unseal(row, sealer) for row in rows)


def _seal(key: SigningKey, sealer: Sealer) -> SealedKey:
    return SealedKey(key.kid, key.algorithm.value, sealer.seal(key.private_jwk.encode(), _context(key.kid)))


def _unseal(row: SealedKey, sealer: Sealer) -> SigningKey:
    try:
        private_jwk = sealer.unseal(row.private_sealed, _context(row.kid)).decode()
    except UnknownSealKey:
        raise ConfigurationError(
            "WATCHWORD_SECRET lacks the secret that sealed the signing keys in this database: "
            "append the former secret to it, after a space"
        ) from None
    except SealBroken:
        raise ConfigurationError(
            f"signing key {row.kid} in the database was altered: restore it from a backup, or delete the row to have "
            f"a new one made"
        ) from None
    return SigningKey.from_jwk(row.kid, SigningAlgorithm(row.algorithm), private_jwk)


def _context(kid: str) -> bytes:
    return row_context("signing_key", "private_sealed", kid)
