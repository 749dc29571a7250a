"""Delete what has ended and nobody asks for any more."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from watchword.background import attempt, in_background, repeat
from watchword.storage import Database

_log: Final = logging.getLogger("watchword.prune")
_BATCH: Final = 1000
_EVERY_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went.

    Attributes:
        assertions: Those that clients authenticated with, which have expired.
        authorization_codes: Those that have expired, used or not.
        browser_sessions: Logins at our pages.
        one_time_tokens: Links that nobody followed.
        outbox: Mail that was given up.
        pending_tokens: Those that were traded for a login, which have expired.
        logout_notices: Those that were given up.
        attempts: Counters of failures that nobody added to for a day.
    """

    sessions: int = 0
    revocations: int = 0
    api_keys: int = 0
    assertions: int = 0
    pending_tokens: int = 0
    events: int = 0
    one_time_tokens: int = 0
    outbox: int = 0
    attempts: int = 0
    browser_sessions: int = 0
    authorization_codes: int = 0
    logout_notices: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Prune:
    """Deletes what has ended, and old events, in small transactions that hold nobody up."""

    storage: Database
    events_kept_for: timedelta

    async def __call__(self) -> Pruned:
        """Prune.

        Raises:
            StorageDown: The database does not answer; what was deleted before stays deleted.
        """
        total = Pruned()
        while True:
            async with self.storage.transaction() as stores:
                batch = Pruned(
                    sessions=await stores.sessions.prune(limit=_BATCH),
                    revocations=await stores.revocations.prune(limit=_BATCH),
                    api_keys=await stores.api_keys.prune(limit=_BATCH),
                    assertions=await stores.clients.prune_assertions(limit=_BATCH),
                    pending_tokens=await stores.second_factors.prune_tokens(limit=_BATCH),
                    events=await stores.events.prune(kept_for=self.events_kept_for, limit=_BATCH),
                    one_time_tokens=await stores.one_time_tokens.prune(limit=_BATCH),
                    outbox=await stores.outbox.prune(limit=_BATCH),
                    attempts=await stores.attempts.prune(limit=_BATCH),
                    browser_sessions=await stores.browser_sessions.prune(limit=_BATCH),
                    authorization_codes=await stores.authorization_codes.prune(limit=_BATCH),
                    logout_notices=await stores.logout_notices.prune(limit=_BATCH),
                )
            total += batch
            if max(astuple(batch)) < _BATCH:
                return total


@asynccontextmanager
async def pruning(prune: Prune, *, every: float = _EVERY_SECONDS) -> AsyncIterator[None]:
    """Prune about every so many seconds, within a block."""

    async def prune_and_tell() -> None:
        _log.info("pruned %s", await prune())

    once = partial(attempt, prune_and_tell, log=_log, failed="nothing was pruned")
    async with in_background(repeat(once, at_least=every * 0.5, at_most=every * 1.5), name="prune"):
        yield
