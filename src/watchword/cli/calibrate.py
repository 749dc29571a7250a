"""`watchword calibrate`."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from watchword.crypto.passwords import PasswordHasher
from watchword.identity.hashing import HashingPool, available_cores
from watchword.settings import PasswordCost, Settings, argon2_parameters

_REPEATS: Final = 5


@dataclass(frozen=True, slots=True)
class MeasuredCost:
    """One cost on this machine.

    Attributes:
        milliseconds: Median of one hash with nothing else running.
        per_second: Hashes a second with every hashing thread busy.
    """

    name: str
    memory_kib: int
    milliseconds: float
    per_second: float
    is_configured: bool

    def as_row(self) -> tuple[str, ...]:
        """For a table."""
        return (
            self.name,
            f"{self.memory_kib / 1024:.0f} MiB",
            f"{self.milliseconds:.0f} ms",
            f"{self.per_second:.0f}",
            "in force" if self.is_configured else "",
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


async def measure_costs(settings: Settings) -> list[MeasuredCost]:
    """Measure the named costs and the configured one, in the pool that logins hash in; about two seconds of work."""
    names = dict.fromkeys([*(cost.value for cost in PasswordCost), settings.password_cost])
    return [await _measure(name, settings) for name in names]


async def _measure(name: str, settings: Settings) -> MeasuredCost:
    threads = settings.hashing_threads or available_cores()
    jobs = threads * _REPEATS
    pool = HashingPool(PasswordHasher(name), threads=threads, queue=jobs)
    try:
        await _seconds(pool)  # the first one also starts a thread
        alone = median([await _seconds(pool) for _ in range(_REPEATS)])
        started = time.perf_counter()
        await asyncio.gather(*(_seconds(pool) for _ in range(jobs)))
        per_second = jobs / (time.perf_counter() - started)
    finally:
        pool.close()
    return MeasuredCost(
        name=name,
        memory_kib=argon2_parameters(name)[0],
        milliseconds=round(alone * 1000, 1),
        per_second=round(per_second, 1),
        is_configured=name == settings.password_cost,
    )


async def _seconds(pool: HashingPool) -> float:
    started = time.perf_counter()
    async with pool.place() as place:
        await place.hash("a password of ordinary length")
    return time.perf_counter() - started
