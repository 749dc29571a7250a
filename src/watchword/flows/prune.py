"""Delete what has ended and nobody asks for any more."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from watchword.errors import StorageDown
from watchword.storage import Database

_log: Final = logging.getLogger("watchword.prune")
_BATCH: Final = 1000
_EVERY_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went."""

    sessions: int
    revocations: int
    api_keys: int


@dataclass(frozen=True, slots=True)
class Prune:
    """Deletes dead sessions, expired revocations and API keys, in small transactions that hold nobody up."""

    storage: Database

    async def __call__(self) -> Pruned:
        """Prune.

        Raises:
            StorageDown: The database does not answer; what was deleted before stays deleted.
        """
        sessions = revocations = api_keys = 0
        while True:
            async with self.storage.transaction() as stores:
                dead = await stores.sessions.prune(limit=_BATCH)
                expired = await stores.revocations.prune(limit=_BATCH)
                ended_keys = await stores.api_keys.prune(limit=_BATCH)
            sessions, revocations, api_keys = sessions + dead, revocations + expired, api_keys + ended_keys
            if max(dead, expired, ended_keys) < _BATCH:
                return Pruned(sessions, revocations, api_keys)


@asynccontextmanager
async def pruning(prune: Prune, *, every: float = _EVERY_SECONDS) -> AsyncIterator[None]:
    """Prune about every so many seconds, within a block; processes that start at once do not do it at once."""

    async def run() -> None:
        while True:
            await asyncio.sleep(every * random.uniform(0.5, 1.5))  # noqa: S311 — no secret
            try:
                pruned = await prune()
            except StorageDown as error:
                _log.warning("nothing was pruned: %s", error.detail)
            except Exception:  # noqa: BLE001 — the next try may succeed, and nobody would start this again
                _log.exception("nothing was pruned")
            else:
                _log.info(
                    "pruned %d sessions, %d revocations and %d API keys",
                    pruned.sessions,
                    pruned.revocations,
                    pruned.api_keys,
                )

    task = asyncio.create_task(run(), name="watchword prune")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
