"""When an answer is given that must not tell whether there is an account: at the next tenth of a second.

The work is the same either way, but for a row more or less and what the database makes of it, which many measurements
tell apart. The wait hides such differences as long as both end within one tenth.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

EVERY_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class EvenTime:
    """Waits.

    Attributes:
        clock: Seconds, monotonic.
        sleep: Waits so many seconds.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Let a block end at a multiple of `EVERY_SECONDS` since it began; one that raises ends at once.

        What refuses a request, such as a weak password, has to be the same whether or not there is an account.
        """
        began = self.clock()
        yield
        await self.sleep((began - self.clock()) % EVERY_SECONDS)
