"""Processes that share a Redis count together; while it is away each counts by itself, and still counts."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import EMAIL
from tests.faults.redis_server import RedisServer
from tests.faults.servers import KillableServer

from watchword.errors import TooManyRequests
from watchword.limits import Limits
from watchword.model import Device, Limit, Rate

pytestmark = pytest.mark.anyio
HERE = Device(None, "192.0.2.1")
RATES = {Limit.LOGINS: Rate(5, 60), Limit.FAILURES: Rate(5, 60)}
NOT_COUNTED_IN_REDIS = "limits are counted in this process alone"


async def ask(limits: Limits, device: Device = HERE) -> int:
    """What a login is answered, as far as limits decide."""
    try:
        await limits.hit(Limit.LOGINS, "password", device)
    except TooManyRequests:
        return 429
    return 200


@pytest.fixture
def process(redis_server: RedisServer) -> Callable[..., Limits]:
    return lambda **options: Limits(RATES, redis_url=redis_server.url, issuer="https://login.example.com", **options)


async def test_two_processes_count_together(process: Callable[..., Limits]) -> None:
    one, other = process(), process()
    assert [await ask(limits) for limits in (one, other) * 4] == [200] * 5 + [429] * 3
    assert await ask(other, Device(None, "192.0.2.2")) == 200
    await one.close()
    await other.close()


async def test_a_redis_that_is_killed_leaves_what_each_process_knows_and_is_asked_again_when_it_is_back(
    process: Callable[..., Limits], redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    limits = process(monotonic=lambda: now)
    assert [await ask(limits) for _ in range(3)] == [200] * 3
    redis_server.kill()
    assert [await ask(limits) for _ in range(4)] == [200, 200, 429, 429]
    assert [await ask(limits, Device(None, f"198.51.100.{n % 2}")) for n in range(12)] == [200] * 10 + [429] * 2
    now += 6
    assert await ask(limits, Device(None, "198.51.100.7")) == 200
    assert caplog.text.count(NOT_COUNTED_IN_REDIS) == 1
    redis_server.start()
    now += 6
    caplog.set_level("INFO")
    other = process()
    anew = Device(None, "203.0.113.1")
    assert [await ask(each, anew) for each in (limits, other) * 3] == [200] * 5 + [429]
    assert caplog.text.count("limits are counted in Redis again") == 1
    await limits.close()
    await other.close()


async def test_a_redis_that_hangs_is_waited_for_once_and_not_by_everybody(
    process: Callable[..., Limits], redis_server: RedisServer
) -> None:
    limits = process()
    assert await ask(limits) == 200
    redis_server.signal(signal.SIGSTOP)
    started = time.monotonic()
    assert [await ask(limits) for _ in range(6)] == [200] * 4 + [429] * 2
    assert time.monotonic() - started < 2
    redis_server.signal(signal.SIGCONT)
    await limits.close()


async def test_a_window_without_an_end_gets_one(process: Callable[..., Limits], redis_server: RedisServer) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(redis_server.url) as redis:
        await redis.set("https://login.example.com:limit:password:192.0.2.1", 17)
        limits = process()
        assert await ask(limits) == 429
        (key,) = await redis.keys("*")
        assert 50 < await redis.ttl(key) <= 60
    await limits.close()


def test_row_40_workers_count_together_and_believe_x_forwarded_for_of_trusted_proxies_alone(
    tmp_path: Path, postgresql_url: str, redis_server: RedisServer
) -> None:
    server = KillableServer(
        tmp_path,
        postgresql_url,
        "--workers",
        "2",
        WATCHWORD_REDIS_URL=redis_server.url,
        WATCHWORD_RATE_LIMITS="true",
        WATCHWORD_RATE_LOGINS="4/minute",
        WATCHWORD_TRUSTED_PROXIES="127.0.0.1",
    )
    untrusting = KillableServer(
        tmp_path,
        postgresql_url,
        WATCHWORD_REDIS_URL=redis_server.url,
        WATCHWORD_ISSUER="http://other.example.com",
        WATCHWORD_RATE_LIMITS="true",
        WATCHWORD_RATE_LOGINS="4/minute",
    )

    def log_in(at: KillableServer, forwarded: str) -> int:
        form = {"grant_type": "password", "username": EMAIL, "password": "a wrong watchword"}
        with at.client() as client:  # a connection of its own, to whichever worker takes it
            answer: Any = client.post("/auth/token", data=form, headers={"X-Forwarded-For": forwarded})
        status: int = answer.status_code
        return status

    try:
        server.start()
        assert [log_in(server, "198.51.100.1") for _ in range(8)] == [400] * 4 + [429] * 4
        assert [log_in(server, f"2001:db8:1:2::{n}") for n in range(8)] == [400] * 4 + [429] * 4
        # What a client sent before the trusted proxy added its address is not believed.
        assert log_in(server, "192.0.2.99, 198.51.100.1") == 429
        untrusting.start()
        assert [log_in(untrusting, f"198.51.100.{n}") for n in range(8)] == [400] * 4 + [429] * 4
    finally:
        server.kill()
        untrusting.kill()
