"""The signing keys of this installation: made at the first start, sealed in the database, replaced as they age.

A key is published before it signs and after it stopped: next → active → retiring → gone. So whoever verifies, here or
elsewhere, knows a key before the first token that it signed, and until the last of them has expired.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn

from watchword.background import attempt, in_background
from watchword.crypto.keys import KeySet, SigningKey, generate_key
from watchword.crypto.sealing import SealBroken, Sealer, UnknownSealKey, row_context
from watchword.errors import ConfigurationError, NotFound
from watchword.feed import Feed
from watchword.model import KeyStatus, Revocation, RevocationKind
from watchword.settings import Settings, SigningAlgorithm
from watchword.storage import Database
from watchword.storage.signing_keys import SealedKey, StoredKey

_log: Final = logging.getLogger("watchword.keys")
JWKS_MAX_AGE: Final = timedelta(minutes=5)
"""How long others may keep the published keys without asking again."""
_RELOAD_EVERY: Final = timedelta(seconds=30)
_LONGEST_TOKEN: Final = timedelta(days=1)
_MARGIN: Final = timedelta(minutes=10)
_EVERYTHING: Final = Revocation(RevocationKind.EVERYTHING, "")


@dataclass(frozen=True, slots=True)
class KeySchedule:
    """When a key goes from one status to the next.

    Attributes:
        signs_for: How long a key signs; zero: until somebody asks for another.
        published_for: How long it is published before it signs. Every process, and everybody who heeds the max-age of
            the key set, has read it by then.
        kept_for: How long it is published after it signed last: the longest token lives no longer.
        reload_every: How often a process reads the keys anew.
    """

    signs_for: timedelta
    published_for: timedelta = JWKS_MAX_AGE + 2 * _RELOAD_EVERY
    kept_for: timedelta = _LONGEST_TOKEN + _MARGIN
    reload_every: timedelta = _RELOAD_EVERY

    @classmethod
    def of(cls, signs_for: timedelta, *, token_lifetime: timedelta) -> "KeySchedule":
        """The schedule where access tokens live as long as that; clients' own live a day at most."""
        return cls(signs_for, kept_for=max(token_lifetime, _LONGEST_TOKEN) + _MARGIN)


class Keyring:
    """Holds the keys, and moves them on. Processes that do so at once end up with one set.

    Args:
        storage: Where the keys are, sealed.
        sealer: Opens them.
        algorithms: What there is to be a key for.
        schedule: When they are replaced.

    Attributes:
        keys: Those in force, as this process has read them last. Replaced as a whole.
    """

    def __init__(
        self, storage: Database, sealer: Sealer, algorithms: Collection[SigningAlgorithm], schedule: KeySchedule
    ) -> None:
        self.keys = KeySet({}, {})
        self._storage = storage
        self._sealer = sealer
        self._algorithms = frozenset(algorithms)
        self._schedule = schedule

    @classmethod
    def of(cls, settings: Settings, storage: Database, sealer: Sealer) -> "Keyring":
        """The keyring that the settings ask for; `turn` opens it."""
        return cls(
            storage,
            sealer,
            {SigningAlgorithm.ES256, SigningAlgorithm.RS256, settings.access_token_algorithm},
            KeySchedule.of(settings.signing_key_lifetime, token_lifetime=settings.access_token_lifetime),
        )

    async def turn(self) -> Collection[str]:
        """Do what is due, and read what there is then.

        Returns:
            The `kid`s that this process knew and that are gone.

        Raises:
            ConfigurationError: A key was sealed under a secret that is not in `WATCHWORD_SECRET`, or was altered.
            StorageDown: The database does not answer.
        """
        async with self._storage.reading() as stores:
            stored = await stores.signing_keys.all()
            aged: Collection[str] = ()
            if self._schedule.signs_for:
                remaining = self._schedule.signs_for - self._schedule.published_for
                aged = await stores.signing_keys.active_longer_than(max(remaining, timedelta()))
        active = {key.sealed.algorithm for key in stored if key.status is KeyStatus.ACTIVE}
        wanted = [(algorithm, KeyStatus.ACTIVE) for algorithm in sorted(self._algorithms - active)]
        wanted += [(algorithm, KeyStatus.NEXT) for algorithm in sorted(self._algorithms) if algorithm in aged]
        made = [(await self._make(algorithm), status) for algorithm, status in wanted]
        if made or any(key.status is not KeyStatus.ACTIVE for key in stored):
            async with self._storage.transaction() as stores:
                for key, status in made:  # an index on each status lets one process win; all read back what won
                    await stores.signing_keys.add(key, status)
                promoted = await stores.signing_keys.promote(published_for=self._schedule.published_for)
                deleted = await stores.signing_keys.delete_retired(kept_for=self._schedule.kept_for)
                stored = await stores.signing_keys.all()
            if promoted or deleted:
                _log.info("signing keys: %s sign now, %s are gone", promoted, deleted)
        known = self.keys.by_kid
        self.keys = self._open(stored, known)
        return known.keys() - self.keys.by_kid.keys()

    async def rotate(self) -> Sequence[StoredKey]:
        """Publish a next key for each algorithm that has none; all keys, as they are then.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self._storage.reading() as stores:
            stored = await stores.signing_keys.all()
        published = {key.sealed.algorithm for key in stored if key.status is KeyStatus.NEXT}
        made = [await self._make(algorithm) for algorithm in sorted(self._algorithms - published)]
        async with self._storage.transaction() as stores:
            for key in made:
                await stores.signing_keys.add(key, KeyStatus.NEXT)
            return await stores.signing_keys.all()

    async def revoke(self, kid: str) -> None:
        """Delete a key that somebody else may have: what it signed is refused at once, in every process.

        Raises:
            NotFound: There is no such key.
            StorageDown: The database does not answer.
        """
        async with self._storage.reading() as stores:
            stored = await stores.signing_keys.all()
        found = next((key for key in stored if key.sealed.kid == kid), None)
        if found is None:
            raise NotFound("no signing key with this kid", text="There is no signing key with this id")
        successor = await self._make(SigningAlgorithm(found.sealed.algorithm))
        async with self._storage.transaction() as stores:
            await stores.signing_keys.delete(kid)
            if found.status is KeyStatus.ACTIVE:
                await stores.signing_keys.add(successor, KeyStatus.ACTIVE)
            await stores.revocations.everything()

    @asynccontextmanager
    async def turning(self, feed: Feed) -> AsyncIterator[None]:
        """Turn now and then within a block, and at once when a key was revoked."""
        async with in_background(self._keep_turning(feed), name="signing keys"):
            yield

    async def _keep_turning(self, feed: Feed) -> NoReturn:
        async def turn() -> None:
            if await self.turn():
                feed.apply([_EVERYTHING])  # what the key had signed may have been remembered before it was gone

        while True:
            async with feed.waiting([_EVERYTHING.key]) as told:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._schedule.reload_every.total_seconds()):
                        await told.wait()
            await attempt(turn, log=_log, failed="the signing keys were not read")

    async def _make(self, algorithm: SigningAlgorithm) -> SealedKey:
        key = await asyncio.to_thread(generate_key, algorithm)
        return SealedKey(key.kid, key.algorithm.value, self._sealer.seal(key.private_jwk.encode(), _context(key.kid)))

    def _open(self, stored: Sequence[StoredKey], known: Mapping[str, SigningKey]) -> KeySet:
        opened = {key.sealed.kid: known.get(key.sealed.kid) or self._unseal(key.sealed) for key in stored}
        signing = [opened[key.sealed.kid] for key in stored if key.status is KeyStatus.ACTIVE]
        return KeySet.of(signing, opened.values())

    def _unseal(self, key: SealedKey) -> SigningKey:
        try:
            private_jwk = self._sealer.unseal(key.private_sealed, _context(key.kid)).decode()
        except UnknownSealKey:
            raise ConfigurationError(
                "WATCHWORD_SECRET lacks the secret that sealed the signing keys in this database: "
                "append the former secret to it, after a space"
            ) from None
        except SealBroken:
            raise ConfigurationError(
                f"signing key {key.kid} in the database was altered: restore it from a backup, or delete the row to "
                f"have a new one made"
            ) from None
        return SigningKey.from_jwk(key.kid, SigningAlgorithm(key.algorithm), private_jwk)


def _context(kid: str) -> bytes:
    return row_context("signing_key", "private_sealed", kid)
