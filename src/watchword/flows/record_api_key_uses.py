"""Write down when API keys were last used: now and then, never while a request waits."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from watchword.background import attempt, in_background, repeat
from watchword.identity.api_key_uses import ApiKeyUses
from watchword.storage import Database

_log: Final = logging.getLogger("watchword.api_keys")
_EVERY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class RecordApiKeyUses:
    """Writes what this process noted since the last time."""

    storage: Database
    uses: ApiKeyUses

    async def __call__(self) -> int:
        """Write; how many keys were used.

        Raises:
            StorageDown: The database does not answer; what was noted is kept for the next time.
        """
        used = self.uses.take()
        if used:
            try:
                async with self.storage.transaction() as stores:
                    await stores.api_keys.touch(self.uses.seconds_ago(used))
            except BaseException:  # a shutdown cancels it, and writes once more
                self.uses.give_back(used)
                raise
        return len(used)


@asynccontextmanager
async def recording(record: RecordApiKeyUses, *, every: float = _EVERY_SECONDS) -> AsyncIterator[None]:
    """Write every so many seconds or somewhat more, within a block, and once at its end."""
    once = partial(attempt, record, log=_log, failed="the last use of API keys was not written")
    try:
        async with in_background(repeat(once, at_least=every, at_most=every * 1.5), name="API key uses"):
            yield
    finally:
        await once()
