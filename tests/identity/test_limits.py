"""Windows of requests, in memory."""

import pytest

from watchword import limits as module
from watchword.errors import InvalidToken, TooManyRequests
from watchword.limits import Limits
from watchword.model import Device, Limit, Rate

pytestmark = pytest.mark.anyio
HERE = Device(None, "192.0.2.1")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits({Limit.LOGINS: Rate(2, 60), Limit.FAILURES: Rate(2, 60)}, monotonic=clock)


async def refused_for(limits: Limits, device: Device = HERE) -> int | None:
    try:
        await limits.hit(Limit.LOGINS, "password", device)
    except TooManyRequests as refusal:
        return refusal.retry_after
    return None


async def test_a_window_starts_with_its_first_request_and_is_over_when_it_says(limits: Limits, clock: Clock) -> None:
    assert [await refused_for(limits) for _ in range(2)] == [None, None]
    clock.now += 59.5
    assert await refused_for(limits) == 1
    clock.now += 0.5
    assert [await refused_for(limits) for _ in range(3)] == [None, None, 61]
    assert limits.refused == {"password": 2}


async def test_what_has_no_rate_is_not_limited(limits: Limits) -> None:
    for _ in range(10):
        await limits.hit(Limit.SIGN_UPS, "/users", HERE)


async def test_only_the_failure_that_is_named_is_counted(limits: Limits) -> None:
    async def attempt(error: Exception | None) -> None:
        async with limits.failures("key", HERE, InvalidToken):
            if error is not None:
                raise error

    for _ in range(10):
        await attempt(None)
        with pytest.raises(ValueError, match="other"):
            await attempt(ValueError("other"))
    for _ in range(3):
        with pytest.raises(InvalidToken):
            await attempt(InvalidToken())
    with pytest.raises(TooManyRequests):
        await attempt(None)


async def test_memory_is_bounded_and_the_least_recently_used_goes_first(
    limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_WINDOWS", 100)
    for _ in range(3):
        await refused_for(limits)
    for n in range(99):
        await refused_for(limits, Device(None, f"198.51.100.{n}"))
    assert await refused_for(limits) is not None
    for n in range(500):
        await refused_for(limits, Device(None, f"2001:db8:0:{n:x}::1"))
    assert len(limits._windows._windows) == 100
