"""What `limits` counts with. Imported when something is counted: the package takes a while."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from typing_extensions import override

from watchword.model import Rate

_MOST_WINDOWS: Final = 50_000
_REFUSED: Final = 1 << 62


class Counters:
    """Counts here, and in Redis where there is one; what is known here is refused without asking there.

    Args:
        redis: A client of `redis.asyncio`, or None.
        namespace: What the keys begin with.
        clock: The time, in seconds since the epoch.
    """

    def __init__(self, redis: Any, *, namespace: str, clock: Callable[[], float]) -> None:  # noqa: ANN401 — optional
        self._namespace = namespace
        self._clock = clock
        self._memory = Memory(clock)
        self._here = FixedWindowRateLimiter(self._memory)
        self._shared: FixedWindowRateLimiter | None = None
        if redis is not None:
            pool = redis.connection_pool  # the address is that of the pool
            storage = RedisStorage("redis://", implementation="redispy", key_prefix="", connection_pool=pool)
            self._shared = FixedWindowRateLimiter(storage)

    def item(self, rate: Rate) -> RateLimitItem:
        """A rate as `limits` has it."""
        return RateLimitItemPerSecond(rate.number, rate.seconds, namespace=self._namespace)

    def refused_for(self, rate: Rate, *identifiers: str) -> float:
        """The seconds for which all is refused, as far as is known here; 0 if nothing is."""
        item = self.item(rate)
        count, left = self._memory.window(item.key_for(*identifiers))
        return left if count > item.amount else 0.0

    async def count(self, rate: Rate, *identifiers: str, ask_redis: bool) -> None:
        """Count one more.

        Raises:
            RedisError, OSError: Redis does not answer; it was counted here.
        """
        item = self.item(rate)
        await self._here.hit(item, *identifiers)
        if ask_redis and self._shared is not None and not await self._shared.hit(item, *identifiers):
            until = (await self._shared.get_window_stats(item, *identifiers)).reset_time
            self._memory.refuse(item.key_for(*identifiers), until)


class Memory(Storage):
    """Windows of this process, at most so many: the least recently used goes first.

    The memory that `limits` has knows no bound, and looks through all it holds at each request. Who has so many
    networks that theirs push others out could have asked from each of them instead.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def window(self, key: str) -> tuple[int, float]:
        """The count of a window that has not ended, and the seconds until it does; else nothing."""
        count, ends_at = self._windows.get(key, (0, 0.0))
        left = ends_at - self._clock()
        return (count, left) if left > 0 else (0, 0.0)

    def refuse(self, key: str, until: float) -> None:
        """Remember that somebody else has counted too many."""
        self._set(key, _REFUSED, until)

    @property
    @override
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    @override
    async def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        count, left = self.window(key)
        self._set(key, count + amount, self._clock() + (left or expiry))
        return count + amount

    @override
    async def get(self, key: str) -> int:
        return self.window(key)[0]

    @override
    async def get_expiry(self, key: str) -> float:
        return self._clock() + self.window(key)[1]

    @override
    async def check(self) -> bool:
        return True

    @override
    async def reset(self) -> int:
        count = len(self._windows)
        self._windows.clear()
        return count

    @override
    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)

    def _set(self, key: str, count: int, ends_at: float) -> None:
        self._windows[key] = (count, ends_at)
        self._windows.move_to_end(key)
        if len(self._windows) > _MOST_WINDOWS:
            self._windows.popitem(last=False)
