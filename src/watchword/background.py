"""What runs in the background, beside the requests."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, NoReturn

from watchword.errors import StorageDown


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, NoReturn], *, name: str) -> AsyncIterator[None]:
    """Do something that does not end by itself, within a block.

    Args:
        work: That.
        name: For whoever lists the tasks.
    """
    task = asyncio.create_task(work, name=f"watchword {name}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])  # to await it itself would take our own cancellation for its
        if not task.cancelled():
            task.result()


async def repeat(do: Callable[[], Awaitable[None]], *, at_least: float, at_most: float) -> NoReturn:
    """Do something again and again; processes that start at once do not do it at once.

    Args:
        do: That. What it raises ends it all: see `attempt`.
        at_least: Seconds before each time.
        at_most: The same.
    """
    while True:
        await asyncio.sleep(random.uniform(at_least, at_most))  # noqa: S311 — no secret
        await do()


AT_ONCE: Final = 10
"""How much of what is due one process takes to send."""
LEASE: Final = timedelta(seconds=30)
"""Longer than sending may take: nobody else sends it meanwhile."""
_LONGEST_DELAY: Final = timedelta(hours=1)


def delay_after(attempts: int) -> timedelta:
    """How long to wait before something is sent again that so many attempts could not send: twice as long each time."""
    return min(LEASE * (1 << min(attempts - 1, 10)), _LONGEST_DELAY)


class Bell:
    """Tells the background that there is something to do, or that it is over."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Have it looked at now."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is rung, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


@asynccontextmanager
async def emptying(
    send: Callable[[], Coroutine[Any, Any, int]], bell: Bell, *, every: float, name: str, log: logging.Logger
) -> AsyncIterator[None]:
    """Send what is due whenever a bell is rung, and every so many seconds what others left, within a block.

    At its end, what is just being sent is awaited, which bounds itself: what is cut off in the middle would be sent
    twice, and a connection to SQLite that is cut off in the middle may never close.

    Args:
        send: Sends some of it; how many.
        bell: That one.
        every: Seconds at least.
        name: What it is, for the log and for whoever lists the tasks.
        log: Where a failure is told.
    """
    ending = False

    async def send_all() -> None:
        while await send() and not ending:
            pass

    async def run() -> None:
        while not ending:
            await attempt(send_all, log=log, failed=f"no {name} was sent")
            await bell.wait(every * random.uniform(1, 1.5))  # noqa: S311 — no secret

    task = asyncio.create_task(run(), name=f"watchword {name}")
    try:
        yield
    finally:
        ending = True
        bell.ring()
        await task


async def attempt(do: Callable[[], Coroutine[Any, Any, object]], *, log: logging.Logger, failed: str) -> None:
    """Do something that may fail: the next try may succeed, and nobody would start it again.

    Whoever is cancelled meanwhile waits for its end: a statement that is cut off leaves its connection to nobody.

    Args:
        do: That.
        log: Where a failure is told.
        failed: How.
    """
    doing = asyncio.ensure_future(do())
    try:
        await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.gather(doing, return_exceptions=True)
        raise
    except StorageDown as error:
        log.warning("%s: %s", failed, error.detail)
    except Exception:
        log.exception(failed)
