"""What runs in the background, beside the requests."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn

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
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
