"""The revocation feed: what this process may still believe of what it remembers, and how old that belief is.

A reader of the database verifies a credential and notes `position` *before* it asks. What it learned holds as long as
nothing that it touches has arrived since then, the feed was not interrupted, and the feed is fresh. So a verification
that is in flight while a revocation commits is never remembered past it, whichever comes first.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NoReturn

from watchword.background import in_background
from watchword.errors import StorageDown
from watchword.model import Revocation, RevocationKind
from watchword.storage.signals import Reader, Signals

_log: Final = logging.getLogger("watchword.feed")
_POLLS_PER_STALENESS: Final = 4
_SHORTEST_TIMEOUT: Final = 1.0
_RETRY_SECONDS: Final = 0.2
_CONNECT_SECONDS: Final = 15
_ANYTHING: Final = Revocation(RevocationKind.EVERYTHING, "")


class Feed:
    """Follows revocations, this process's own and those of all others.

    Args:
        signals: How the database tells.
        staleness: Seconds after which what was read last is too old to be believed.
        forget_after: Seconds a revocation is kept in memory; nothing that was learned before it is believed longer.
        monotonic: The clock that ages it; the wall clock may jump.

    Attributes:
        position: Grows with each arrival.
        staleness: As given.
    """

    def __init__(
        self,
        signals: Signals,
        *,
        staleness: float,
        forget_after: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.position = 0
        self._signals = signals
        self.staleness = staleness
        self._forget_after = forget_after
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._valid_from = 0
        self._arrived: dict[str, int] = {}
        self._expiries: deque[tuple[float, int, str]] = deque()
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._listeners: list[Callable[[Sequence[Revocation]], None]] = []

    @property
    def age(self) -> float:
        """Seconds since the start of the last read that succeeded; infinite before the first."""
        return self._monotonic() - self._read_at

    @property
    def is_fresh(self) -> bool:
        """Whether what is remembered may be believed at all."""
        return self.age <= self.staleness

    def holds(self, keys: Iterable[str], *, since: int) -> bool:
        """Whether what was learned at a position may be believed: the feed is fresh, and nothing touched it since."""
        # Each request with a remembered token comes by here.
        if since < self._valid_from or self._monotonic() - self._read_at > self.staleness:
            return False
        if since == self.position:
            return True
        arrived = self._arrived
        for key in keys:  # noqa: SIM110 — all() makes a generator
            if arrived.get(key, 0) > since:
                return False
        return True

    def on_arrival(self, listener: Callable[[Sequence[Revocation]], None]) -> None:
        """Tell a listener of what arrives, from this process and from others; it may come twice.

        After an interruption `EVERYTHING` arrives: anything may have been missed.
        """
        self._listeners.append(listener)

    def apply(self, revocations: Sequence[Revocation]) -> None:
        """Take in what was revoked; what this process revokes is taken in before it answers."""
        for revocation in revocations:
            self.position += 1
            self._arrived[revocation.key] = self.position
            self._expiries.append((self._monotonic() + self._forget_after, self.position, revocation.key))
            self._wake(revocation.key)
            if revocation.kind is RevocationKind.EVERYTHING:
                self._interrupt()
        self._purge()
        if revocations:
            self._tell(revocations)

    @asynccontextmanager
    async def waiting(self, keys: Iterable[str]) -> AsyncIterator[asyncio.Event]:
        """An event that is set when one of these is touched, or the feed is interrupted."""
        event = asyncio.Event()
        keys = tuple(keys)
        for key in keys:
            self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            for key in keys:
                if events := self._waiting.get(key):
                    events.discard(event)
                    if not events:
                        del self._waiting[key]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow in the background, within a block. The first read is done before the block begins.

        Raises:
            StorageDown: The database does not answer.
        """
        async with contextlib.AsyncExitStack() as stack:
            reader = await stack.enter_async_context(self._signals.reader())
            await self._catch_up(reader)
            work = self._follow(stack.pop_all(), reader)
        async with in_background(work, name="revocation feed"):
            yield

    async def _follow(self, stack: contextlib.AsyncExitStack, reader: Reader) -> NoReturn:
        while True:
            try:
                async with stack:
                    while True:
                        await reader.wait(self.staleness / _POLLS_PER_STALENESS)
                        await self._catch_up(reader)
            except (StorageDown, TimeoutError) as error:
                _log.warning("the revocation feed was interrupted (%s): every request asks the database", error)
            except Exception:  # noqa: BLE001 — a feed that stops following would age, and never come back
                _log.exception("the revocation feed failed: every request asks the database")
            stack, reader = await self._reconnect()
            _log.warning("the revocation feed is back after %.1f s", self.age)

    async def _reconnect(self) -> tuple[contextlib.AsyncExitStack, Reader]:
        is_said = False
        while True:
            self._interrupt()
            await asyncio.sleep(_RETRY_SECONDS)
            try:
                # Much longer than a read may take: over a slow link it is a dozen round trips.
                async with contextlib.AsyncExitStack() as stack, asyncio.timeout(_CONNECT_SECONDS):
                    reader = await stack.enter_async_context(self._signals.reader())
                    # It stands at what is visible now. What was missed is in the tables: nothing from before is
                    # believed, so each credential is verified there again.
                    self._interrupt()
                    self._tell([_ANYTHING])
                    return stack.pop_all(), reader
            except Exception as error:  # noqa: BLE001 — whatever it is, the next try may succeed
                if not is_said:
                    _log.warning("the revocation feed cannot be opened again yet (%s)", type(error).__name__)
                is_said = True

    def _tell(self, revocations: Sequence[Revocation]) -> None:
        for listener in self._listeners:
            listener(revocations)

    async def _catch_up(self, reader: Reader) -> None:
        started = self._monotonic()
        async with asyncio.timeout(self._timeout):  # a connection may be dead without a word
            self.apply(await reader.read())
        self._read_at = started

    @property
    def _timeout(self) -> float:
        return max(self.staleness, _SHORTEST_TIMEOUT)

    def _interrupt(self) -> None:
        self.position += 1
        self._valid_from = self.position
        for key in list(self._waiting):
            self._wake(key)

    def _wake(self, key: str) -> None:
        for event in self._waiting.get(key, ()):
            event.set()

    def _purge(self) -> None:
        now = self._monotonic()
        while self._expiries and self._expiries[0][0] <= now:
            _, position, key = self._expiries.popleft()
            self._valid_from = max(self._valid_from, position)  # who learned before this arrival cannot tell any more
            if self._arrived.get(key) == position:
                del self._arrived[key]
