"""The hashing pool: bounded, out of the way, and honest about places."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator

import pytest
from typing_extensions import override

from watchword.crypto.passwords import PasswordHasher
from watchword.errors import HashingBusy
from watchword.identity.hashing import HashingPool, available_cores

pytestmark = pytest.mark.anyio


class HeldHasher(PasswordHasher):
    """Hashes only once it is released."""

    def __init__(self) -> None:
        super().__init__("m=7168,t=1,p=1")
        self.started = threading.Semaphore(0)
        self.release = threading.Event()
        self.hashed: list[str] = []
        self.nice: list[int] = []

    @override
    def hash(self, password: str) -> str:
        self.nice.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        self.started.release()
        self.release.wait(10)
        self.hashed.append(password)
        return password


@pytest.fixture
def hasher() -> Iterator[HeldHasher]:
    hasher = HeldHasher()
    yield hasher
    hasher.release.set()


async def hash_in(pool: HashingPool, password: str) -> str:
    async with pool.place() as place:
        return await place.hash(password)


async def until(condition: threading.Semaphore) -> None:
    assert await asyncio.to_thread(condition.acquire, timeout=10)


async def test_one_more_than_threads_and_queue_is_refused(hasher: HeldHasher) -> None:
    pool = HashingPool(hasher, threads=1, queue=2)
    jobs = [asyncio.create_task(hash_in(pool, str(number))) for number in range(3)]
    await until(hasher.started)
    with pytest.raises(HashingBusy):
        await hash_in(pool, "one too many")
    hasher.release.set()
    assert await asyncio.gather(*jobs) == ["0", "1", "2"]
    assert await hash_in(pool, "afterwards") == "afterwards"


async def test_a_client_that_leaves_while_waiting_costs_no_hash(hasher: HeldHasher) -> None:
    pool = HashingPool(hasher, threads=1, queue=1)
    running = asyncio.create_task(hash_in(pool, "running"))
    await until(hasher.started)
    waiting = asyncio.create_task(hash_in(pool, "waiting"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hasher.release.set()
    await running
    await hash_in(pool, "last")
    assert hasher.hashed == ["running", "last"]


async def test_a_place_is_taken_until_its_hash_is_done_even_when_the_client_left(hasher: HeldHasher) -> None:
    pool = HashingPool(hasher, threads=1, queue=0)
    running = asyncio.create_task(hash_in(pool, "running"))
    await until(hasher.started)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(HashingBusy):
        await hash_in(pool, "too early")
    hasher.release.set()
    for _ in range(1000):
        try:
            assert await hash_in(pool, "later") == "later"
            break
        except HashingBusy:
            await asyncio.sleep(0.01)
    assert hasher.hashed == ["running", "later"]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities belong to threads on Linux alone")
async def test_hashes_run_at_low_priority_and_the_event_loop_does_not(hasher: HeldHasher) -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    hasher.release.set()
    await hash_in(HashingPool(hasher), "x")
    assert hasher.nice == [min(19, 15)]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


async def test_there_are_as_many_threads_as_cores(hasher: HeldHasher) -> None:
    pool = HashingPool(hasher, queue=1)
    jobs = [asyncio.create_task(hash_in(pool, str(number))) for number in range(available_cores())]
    for _ in range(available_cores()):
        await until(hasher.started)
    hasher.release.set()
    await asyncio.gather(*jobs)
