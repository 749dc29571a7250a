"""How often one network may ask: counted in this process, or in a Redis that all processes share.

A network is an IPv4 address, or the first 64 bits of one of IPv6: who has one address of those has all of them. The
address is the one that the server tells, which believes X-Forwarded-For only of proxies it trusts. Where there is none,
all share one count.

The package `limits` counts, in fixed windows. It is imported when the first request is counted: a start need not wait.
"""

import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from watchword.errors import Refusal, TooManyRequests
from watchword.model import Device, Limit, Rate
from watchword.redis_client import open_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from watchword.limit_counters import Counters

_log: Final = logging.getLogger("watchword.limits")
_TIMEOUT_SECONDS: Final = 0.5
_AWAY_SECONDS: Final = 5.0


class Limits:
    """Counts requests in windows that start with the first of them.

    Args:
        rates: How many of each kind; what is not there is not limited.
        redis_url: A Redis to count in. While it is away, each process counts by itself.
        issuer: What the keys in it begin with.
        clock: The time, in seconds since the epoch.

    Attributes:
        refused: How many requests were refused, by what they asked for.

    Raises:
        ConfigurationError: See `open_redis`.
    """

    def __init__(
        self,
        rates: Mapping[Limit, Rate],
        *,
        redis_url: str | None = None,
        issuer: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._rates = rates
        self._issuer = issuer
        self._clock = clock
        self._redis: Redis | None = open_redis(redis_url, timeout=_TIMEOUT_SECONDS) if redis_url and rates else None
        self._made: Counters | None = None
        self._redis_is_away = False
        self._ask_redis_at = float("-inf")

    async def hit(self, limit: Limit, what: str, device: Device) -> None:
        """Count a request.

        Args:
            limit: Which rate.
            what: What is asked for: each is counted by itself.
            device: Where the request comes from.

        Raises:
            TooManyRequests: There were too many.
        """
        rate = self._rates.get(limit)
        if rate is not None:
            self._refuse_known(rate, what, device)
            await self._count(rate, what, device)
            self._refuse_known(rate, what, device)

    @asynccontextmanager
    async def failures(self, what: str, device: Device, counted: type[Refusal]) -> AsyncIterator[None]:
        """Count only what fails, within a block, and refuse to enter it once too much has.

        Success costs a look-up in memory: this process knows that a network is refused once it has counted there.

        Args:
            what: What is asked for.
            device: Where the request comes from.
            counted: The failure.

        Raises:
            TooManyRequests: Too many failed.
        """
        rate = self._rates.get(Limit.FAILURES)
        if rate is None:
            yield
            return
        self._refuse_known(rate, what, device)
        try:
            yield
        except counted:
            await self._count(rate, what, device)
            raise

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()

    @property
    def _counters(self) -> "Counters":
        if self._made is None:
            from watchword.limit_counters import Counters

            self._made = Counters(self._redis, namespace=f"{self._issuer}:limit", clock=self._clock)
        return self._made

    def _refuse_known(self, rate: Rate, what: str, device: Device) -> None:
        """Refuse who is known here to have had too many, without asking anybody.

        Raises:
            TooManyRequests: So it is.
        """
        left = self._counters.refused_for(rate, what, device.network or "")
        if left > 0:
            self.refused[what] += 1
            raise TooManyRequests(math.ceil(left), f"too many requests for {what} from one network")

    async def _count(self, rate: Rate, what: str, device: Device) -> None:
        """Count one more, in Redis too if it is there."""
        ask_redis = self._redis is not None and self._clock() >= self._ask_redis_at
        try:
            await self._counters.count(rate, what, device.network or "", ask_redis=ask_redis)
        except Exception as error:
            if not _is_of_redis(error):
                raise
            # Not asked again for a while: the next ones would wait for it as long as this one has.
            self._ask_redis_at = self._clock() + _AWAY_SECONDS
            if not self._redis_is_away:
                _log.warning("limits are counted in this process alone: Redis: %s", type(error).__name__)
            self._redis_is_away = True
        else:
            if ask_redis and self._redis_is_away:
                _log.info("limits are counted in Redis again")
                self._redis_is_away = False


def _is_of_redis(error: Exception) -> bool:
    from redis.exceptions import RedisError

    return isinstance(error, RedisError | OSError)
