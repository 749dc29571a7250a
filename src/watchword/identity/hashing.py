"""The hashing pool: few threads at low priority and a bounded queue, so that logins never hold up requests."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from watchword.crypto.passwords import PasswordHasher
from watchword.crypto.schemes import Scheme
from watchword.errors import HashingBusy

T = TypeVar("T")

_NICE: Final = 15  # of 19: behind everything else that runs, and still ahead of nothing


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _lower_priority() -> None:
    # On Linux a nice value belongs to a thread; elsewhere it would slow the whole process down.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of comparing a password with a hash, and the seconds the work took."""

    matches: bool
    seconds: float


class HashingPool:
    """Runs a `PasswordHasher` off the event loop.

    Args:
        hasher: What hashes.
        threads: How many hash at once; 0 means as many as there are cores.
        queue: How many more may wait.
    """

    def __init__(self, hasher: PasswordHasher, *, threads: int = 0, queue: int = 64) -> None:
        workers = threads or available_cores()
        self.hasher: Final = hasher
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="watchword-hash", initializer=_lower_priority)
        self._free = threading.Semaphore(workers + queue)

    @asynccontextmanager
    async def place(self) -> AsyncIterator["Place"]:
        """Take a place, before anything is looked up: who finds none learns nothing, and costs nothing.

        The place is free again once its last job ended. A job that runs when its client leaves runs on; one that still
        waits is dropped.

        Raises:
            HashingBusy: Every place is taken.
        """
        if not self._free.acquire(blocking=False):
            raise HashingBusy("the hashing queue is full")
        place = Place(self.hasher, self._executor)
        try:
            yield place
        finally:
            place.when_idle(self._free.release)

    def close(self) -> None:
        """Drop what waits, and let what runs finish by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Place:
    """A place in the pool: one job at a time."""

    def __init__(self, hasher: PasswordHasher, executor: ThreadPoolExecutor) -> None:
        self._hasher = hasher
        self._executor = executor
        self._job: Future[Any] | None = None

    @property
    def scheme(self) -> Scheme:
        """The scheme of new hashes."""
        return self._hasher.scheme

    async def verify(self, password: str, encoded: str) -> Verification:
        """Compare a password with a hash."""
        return await self._run(lambda: _timed_verify(self._hasher, password, encoded))

    async def hash(self, password: str) -> str:
        """Hash a password at the configured cost."""
        return await self._run(lambda: self._hasher.hash(password))

    def when_idle(self, call: Callable[[], object]) -> None:
        """Call back once no job of this place runs, from whatever thread that is in."""
        if self._job is None:
            call()
        else:
            self._job.add_done_callback(lambda _job: call())

    async def _run(self, work: Callable[[], T]) -> T:
        job = self._executor.submit(work)
        self._job = job
        return await asyncio.wrap_future(job)


def _timed_verify(hasher: PasswordHasher, password: str, encoded: str) -> Verification:
    started = time.perf_counter()
    matches = hasher.verify(password, encoded)
    return Verification(matches, time.perf_counter() - started)
