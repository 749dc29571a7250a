"""`watchword calibrate`."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from watchword.crypto.passwords import PasswordHasher
from watchword.identity.hashing import available_cores
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


def measure_costs(settings: Settings) -> list[MeasuredCost]:
    """Measure the named costs and the configured one; about two seconds of work."""
    names = dict.fromkeys([*(cost.value for cost in PasswordCost), settings.password_cost])
    threads = settings.hashing_threads or available_cores()
    return [_measure(name, threads, is_configured=name == settings.password_cost) for name in names]


def _measure(name: str, threads: int, *, is_configured: bool) -> MeasuredCost:
    hasher = PasswordHasher(name)
    alone = median(_seconds(hasher) for _ in range(_REPEATS))
    jobs = threads * _REPEATS
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_seconds, [hasher] * jobs))
    per_second = jobs / (time.perf_counter() - started)
    return MeasuredCost(name, argon2_parameters(name)[0], round(alone * 1000, 1), round(per_second, 1), is_configured)


def _seconds(hasher: PasswordHasher) -> float:
    started = time.perf_counter()
    hasher.hash("a password of ordinary length")
    return time.perf_counter() - started
