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
    """How many rows went.

    Attributes:
        assertions: Those that clients authenticated with, which have expired.
    """

    sessions: int
    revocations: int
    assertions: int = 0


@dataclass(frozen=True, slots=True)
class Prune:
    """Deletes dead sessions, expired revocations and assertions, in small transactions that hold nobody up."""

    storage: Database

    async def __call__(self) -> Pruned:
        """Prune.

        Raises:
            StorageDown: The database does not answer; what was deleted before stays deleted.
        """
        sessions = revocations = assertions = 0
        while True:
            async with self.storage.transaction() as stores:
                dead = await stores.sessions.prune(limit=_BATCH)
                expired = await stores.revocations.prune(limit=_BATCH)
                used = await stores.clients.prune_assertions(limit=_BATCH)
            sessions, revocations, assertions = sessions + dead, revocations + expired, assertions + used
            if max(dead, expired, used) < _BATCH:
                return Pruned(sessions, revocations, assertions)


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
                _log.info("pruned %d sessions and %d revocations", pruned.sessions, pruned.revocations)

    task = asyncio.create_task(run(), name="watchword prune")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
