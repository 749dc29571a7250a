"""Verify once, remember, forget on signal: access tokens that were verified, kept for as long as they hold."""

import asyncio
import contextlib
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from typing_extensions import override

from watchword.errors import Refusal, Unavailable
from watchword.feed import Feed
from watchword.identity.verify import Verified, VerifyCredential
from watchword.model import Principal

_ASK_AGAIN_SECONDS: Final = 1.0
_SOCKETS_ASKING_AT_ONCE: Final = 4


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
        self._asking = asyncio.Semaphore(_SOCKETS_ASKING_AT_ONCE)
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
        verified = replace(verified, principal=_Ending.of(verified.principal, self, credential, verified.keys))
        if self._size:
            self._entries[credential] = _Entry(verified, verified.principal.expires_at.timestamp(), since)
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return verified

    async def wait_for_end(self, credential: str, keys: Sequence[str], expires_at: float) -> None:
        """Return when a credential is good no more, or nobody could tell for longer than the staleness bound."""
        down_since: float | None = None
        async with self._feed.waiting(keys) as touched:
            while True:
                touched.clear()
                try:
                    async with self._asking:  # an interruption wakes every socket: they leave connections to requests
                        await self(credential)
                    down_since = None
                except Unavailable:
                    down_since = down_since or time.monotonic()
                    if not self._feed.is_fresh and time.monotonic() - down_since > self._feed.staleness:
                        return
                except Refusal:
                    return
                is_told = self._feed.is_fresh and down_since is None
                pause = expires_at - self._clock() if is_told else _ASK_AGAIN_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await touched.wait()


class _Ending(Principal):
    """A principal that can tell when it ends. How is no field: copies of it, and JSON, are of the principal alone."""

    __slots__ = ("_watch",)

    @classmethod
    def of(cls, principal: Principal, verifier: RememberingVerifier, credential: str, keys: Sequence[str]) -> "_Ending":
        ending = cls(**{field.name: getattr(principal, field.name) for field in fields(principal)})
        # A closure, for its repr does not show the credential.
        expires_at = principal.expires_at.timestamp()
        object.__setattr__(ending, "_watch", lambda: verifier.wait_for_end(credential, keys, expires_at))
        return ending

    @override
    async def ended(self) -> None:
        watch = getattr(self, "_watch", super().ended)  # one that was made by dataclasses.replace has none
        await watch()

    @override
    def __reduce__(self) -> tuple[type[Principal], tuple[Any, ...]]:
        return Principal, tuple(getattr(self, field.name) for field in fields(Principal))
