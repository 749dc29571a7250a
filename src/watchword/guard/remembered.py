"""Verify once, remember, forget on signal: access tokens that were verified, kept for as long as they hold."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from watchword.errors import Refusal, Unavailable
from watchword.feed import Feed
from watchword.identity.verify import Verified, VerifyCredential
from watchword.model import Principal

_RETRY_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class _Entry:
    verified: Verified
    expires_at: float
    since: int


class RememberingVerifier:
    """What guards ask. A hit costs a look-up and a few comparisons in memory: no signature, no query.

    Args:
        verify: What is asked on a miss.
        feed: Says whether what was learned may still be believed.
        size: Tokens remembered at most; the least recently used goes first.
        clock: Unix time in seconds.

    Attributes:
        hits: Requests answered from memory.
        misses: Requests for which the signature and the database were asked.
    """

    def __init__(
        self, verify: VerifyCredential, feed: Feed, *, size: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.hits = 0
        self.misses = 0
        self._verify = verify
        self._feed = feed
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def __call__(self, credential: str) -> Verified:
        """Verify.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: It is not remembered, and the database does not answer.
        """
        entry = self._entries.get(credential)
        if entry is not None:
            # Entries are found by the whole credential in a dictionary, not compared byte by byte with a secret.
            if entry.expires_at > self._clock() and self._feed.holds(entry.verified.keys, since=entry.since):
                self.hits += 1
                self._entries.move_to_end(credential)
                return entry.verified
            del self._entries[credential]
        self.misses += 1
        return await self._ask(credential)

    async def _ask(self, credential: str) -> Verified:
        since = self._feed.position  # before the database is read: what arrives meanwhile counts as later
        verified = await self._verify(credential)
        until_ended = partial(self._wait_for_end, credential, verified.keys)
        verified = replace(verified, principal=replace(verified.principal, _until_ended=until_ended))
        if self._size:
            self._entries[credential] = _Entry(verified, verified.principal.expires_at.timestamp(), since)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return verified

    async def _wait_for_end(self, credential: str, keys: Sequence[str], principal: Principal) -> None:
        async with self._feed.waiting(keys) as touched:
            while True:
                touched.clear()
                try:
                    await self(credential)
                except Unavailable:
                    if not self._feed.is_fresh:
                        return  # nobody can tell whether it was revoked: a request would be answered 503
                    await asyncio.sleep(_RETRY_SECONDS)
                except Refusal:
                    return
                else:
                    remaining = principal.expires_at.timestamp() - self._clock()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(remaining if self._feed.is_fresh else _RETRY_SECONDS):
                            await touched.wait()
