"""How long a failed login takes: as long as the dearest kind of hash that is stored, whoever was asked for.

Every failure computes one hash. Where all stored hashes are of the configured cost, that alone makes failures alike.
While others are still stored (imported, or made under an earlier setting), a failure against a cheaper one would tell
whether there is such an account; so it sleeps until the dearest would be done, the configured one among them.
"""

import asyncio
import time
from statistics import median
from typing import Final

from watchword.crypto.passwords import decoy
from watchword.crypto.schemes import Scheme, parse_scheme
from watchword.identity.hashing import HashingPool, Verification
from watchword.storage import Database

_RELOAD_SECONDS: Final = 60
_MEASUREMENTS: Final = 3
_MARGIN: Final = 1.1  # a dear hash takes longer at times; what is slept must cover that


class FailureTime:
    """Knows the dearest stored hash and waits for it.

    Args:
        storage: Where the schemes of the stored hashes are read, at most once a minute.
        hashing: Where a few hashes of each scheme are measured, once.
    """

    def __init__(self, storage: Database, hashing: HashingPool) -> None:
        self._storage = storage
        self._hashing = hashing
        self._measured: dict[Scheme, float] = {}
        self._dearest = 0.0
        self._loaded_at = float("-inf")
        self._reloading = asyncio.Lock()

    async def wait(self, spent: Verification) -> None:
        """Sleep for what the dearest scheme would have taken beyond what was spent.

        Raises:
            HashingBusy: A scheme has to be measured and the pool is full.
            StorageDown: The schemes cannot be read.
        """
        if self._is_stale():
            async with self._reloading:  # after an import there may be much to measure: one login does, others wait
                if self._is_stale():
                    await self.reload()
        await asyncio.sleep(max(0.0, self._dearest - spent.seconds))

    async def reload(self) -> None:
        """Read which schemes are stored and measure the new ones."""
        async with self._storage.reading() as stores:
            stored = await stores.users.password_schemes()
        own = self._hashing.hasher.scheme
        schemes: set[Scheme] = {scheme for text in stored if (scheme := parse_scheme(text)) is not None}
        # Who is unknown is checked at the configured cost: it counts as soon as there is any other.
        schemes = schemes | {own} if schemes - {own} else set()
        for scheme in schemes - self._measured.keys():
            self._measured[scheme] = await self._measure(scheme)
        self._dearest = max((self._measured[scheme] for scheme in schemes), default=0.0) * _MARGIN
        self._loaded_at = time.monotonic()

    def _is_stale(self) -> bool:
        return time.monotonic() - self._loaded_at > _RELOAD_SECONDS

    async def _measure(self, scheme: Scheme) -> float:
        async with self._hashing.place() as place:
            return median([(await place.verify("nobody's", decoy(scheme))).seconds for _ in range(_MEASUREMENTS)])
