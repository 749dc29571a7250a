"""Sign-up, resend and forgot are answered at the next tenth of a second, whether or not there is an account."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD

from watchword import Watchword
from watchword.errors import WeakPassword
from watchword.flows.sign_up import SignUpRequest
from watchword.identity.even_time import EvenTime

pytestmark = pytest.mark.anyio


@dataclass
class Clock:
    """Time that goes on when somebody sleeps, and by what work takes whenever it is asked for."""

    now: float = 1000.0
    work: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        self.now += self.work
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(("work", "ends"), [(0.0, 0.0), (0.001, 0.1), (0.099, 0.1), (0.101, 0.2), (0.25, 0.3)])
async def test_an_answer_is_given_at_the_next_tenth_of_a_second(work: float, ends: float) -> None:
    clock = Clock()
    async with EvenTime(clock, clock.sleep).kept():
        clock.now += work
    assert clock.now - 1000 == pytest.approx(ends)


async def test_a_refusal_does_not_wait() -> None:
    clock = Clock()
    with pytest.raises(WeakPassword):
        async with EvenTime(clock, clock.sleep).kept():
            clock.now += 0.01
            raise WeakPassword("short")
    assert clock.slept == []


async def test_row_39_known_unknown_and_disabled_addresses_are_answered_at_one_time(
    start: Callable[..., Any], database_url: str
) -> None:
    """ASVS 6.3.8."""
    auth: Watchword[Any]
    async with start(database_url, email_verification="required") as auth:
        await auth.users.create(EMAIL, PASSWORD)
        await auth.users.disable((await auth.users.create("disabled@example.com", PASSWORD)).id)
        use, clock = auth.use_cases, Clock(work=0.03)
        object.__setattr__(use.sign_up.even_time, "clock", clock)
        object.__setattr__(use.sign_up.even_time, "sleep", clock.sleep)

        for email in (EMAIL, "unknown@example.com", "disabled@example.com"):
            await use.sign_up(SignUpRequest(email, PASSWORD, {}))
            await use.resend_verification(email)
            await use.request_password_reset.by_email(email)
        assert clock.slept == [pytest.approx(0.07)] * 9
