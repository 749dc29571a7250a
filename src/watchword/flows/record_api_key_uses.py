"""Write down when API keys were last used: now and then, never while a request waits."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from watchword.errors import StorageDown
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

    async def attempt() -> None:
        try:
            await record()
        except StorageDown as error:
            _log.warning("the last use of API keys was not written: %s", error.detail)
        except Exception:  # noqa: BLE001 — the next try may succeed, and nobody would start this again
            _log.exception("the last use of API keys was not written")

    async def run() -> None:
        while True:
            await asyncio.sleep(every * random.uniform(1, 1.5))  # noqa: S311 — no secret
            await attempt()

    task = asyncio.create_task(run(), name="watchword API key uses")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await attempt()
