"""How often one network may ask: counted in this process, or in a Redis that all processes share.

A network is an IPv4 address, or the first 64 bits of one of IPv6: who has one address of those has all of them. The
address is the one that the server tells, which believes X-Forwarded-For only of proxies it trusts. Where there is none,
all share one count.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from watchword.errors import Refusal, TooManyRequests
from watchword.model import Device, Limit, Rate
from watchword.redis_client import open_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log: Final = logging.getLogger("watchword.limits")
_MOST_WINDOWS: Final = 50_000
_TIMEOUT_SECONDS: Final = 0.5
_AWAY_SECONDS: Final = 5.0
# A window starts with its first request. One that has no end (Redis was stopped in between) gets one.
_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[1])
    redis.call('PEXPIRE', KEYS[1], left)
end
return {count, left}
"""


class Limits:
    """Counts requests in windows that start with the first of them.

    Args:
        rates: How many of each kind; what is not there is not limited.
        redis_url: A Redis to count in. While it is away, each process counts by itself.
        issuer: What the keys in it begin with.
        monotonic: Seconds that only go up.

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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._rates = rates
        self._windows = _Windows(monotonic)
        self._monotonic = monotonic
        self._redis: Redis | None = open_redis(redis_url, timeout=_TIMEOUT_SECONDS) if redis_url and rates else None
        self._prefix = f"{issuer}:limit"
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
            key = self._admit(rate, what, device)
            count, left = await self._count(rate, key)
            if count > rate.number:
                raise self._refusal(what, left)

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
        key = self._admit(rate, what, device)
        try:
            yield
        except counted:
            await self._count(rate, key)
            raise

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.aclose()

    def _admit(self, rate: Rate, what: str, device: Device) -> str:
        """Refuse who is known to have had too many, without asking anybody; the key to count by."""
        key = f"{what}:{device.network or ''}"
        count, left = self._windows.get(key)
        if count > rate.number:
            raise self._refusal(what, left)
        return key

    def _refusal(self, what: str, left: float) -> TooManyRequests:
        self.refused[what] += 1
        return TooManyRequests(int(left) + 1, f"too many requests for {what} from one network")

    async def _count(self, rate: Rate, key: str) -> tuple[int, float]:
        """Count one more; how many there are in the window, and the seconds until it ends."""
        if self._redis is not None and self._monotonic() >= self._ask_redis_at:
            counted = await self._count_in_redis(self._redis, rate, key)
            if counted is not None:
                self._windows.set(key, *counted)
                return counted
        return self._windows.add(key, rate.seconds)

    async def _count_in_redis(self, redis: "Redis", rate: Rate, key: str) -> tuple[int, float] | None:
        """The same in Redis; None where it does not answer."""
        from redis.exceptions import RedisError

        try:
            count, left = await redis.eval(_COUNT, 1, f"{self._prefix}:{key}", str(rate.seconds * 1000))
        except (RedisError, OSError) as error:
            # Not asked again for a while: the next ones would wait for it as long as this one has.
            self._ask_redis_at = self._monotonic() + _AWAY_SECONDS
            if not self._redis_is_away:
                _log.warning("limits are counted in this process alone: Redis: %s", type(error).__name__)
            self._redis_is_away = True
            return None
        if self._redis_is_away:
            _log.info("limits are counted in Redis again")
        self._redis_is_away = False
        return int(count), int(left) / 1000


class _Windows:
    """What this process has counted, or heard from Redis; the least recently used window goes first.

    Who has so many networks that theirs push others out could have asked from each of them instead.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def get(self, key: str) -> tuple[int, float]:
        count, ends_at = self._windows.get(key, (0, 0.0))
        left = ends_at - self._monotonic()
        return (count, left) if left > 0 else (0, 0.0)

    def set(self, key: str, count: int, left: float) -> None:
        self._windows[key] = (count, self._monotonic() + left)
        self._windows.move_to_end(key)
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)

    def add(self, key: str, seconds: float) -> tuple[int, float]:
        count, left = self.get(key)
        left = left or seconds
        self.set(key, count + 1, left)
        return count + 1, left
