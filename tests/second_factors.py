"""A user's authenticator app, for tests: it computes codes as pyotp does, by a clock that the test moves."""

import time
from dataclasses import dataclass, field
from typing import Any

import pyotp

from tests.conftest import EMAIL, PASSWORD, Client
from watchword import Watchword
from watchword.crypto.totp import STEP_SECONDS


@dataclass
class Clock:
    """The time that codes are judged by."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now

    def govern(self, *auths: Watchword[Any]) -> None:
        """Become the clock of started Watchwords."""
        for auth in auths:
            object.__setattr__(auth.use_cases.enrol_totp.check_code, "clock", self)

    def tick(self, steps: int = 1) -> None:
        self.now += steps * STEP_SECONDS


@dataclass
class Phone:
    """An authenticator app with one account."""

    secret: str
    clock: Clock

    def code(self, ahead: int = 0) -> str:
        """The code that it shows, or will in so many steps."""
        return pyotp.TOTP(self.secret).at(int(self.clock.now) + ahead * STEP_SECONDS)

    def next_code(self) -> str:
        """A code that was not used: the next step's, once it is shown."""
        self.clock.tick()
        return self.code()

    def wrong_code(self) -> str:
        """Six digits that are no code now."""
        near = {self.code(ahead) for ahead in (-1, 0, 1)}
        return next(digits for digits in map("{:06}".format, range(9)) if digits not in near)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def enrol(client: Client, clock: Clock, headers: dict[str, str], **body: str) -> tuple[Phone, list[str]]:
    """Set up a factor, or another in its place; the phone and the recovery codes."""
    made = client.post("/auth/2fa/setup", json={"password": PASSWORD, **body}, headers=headers)
    assert made.status_code == 200, made.text
    phone = Phone(made.json()["secret"], clock)
    done = client.post("/auth/2fa/confirm", json={"code": phone.next_code()}, headers=headers)
    assert done.status_code == 200, done.text
    return phone, done.json()["recovery_codes"]


def pending_token(client: Client, email: str = EMAIL) -> str:
    """What a right password gives."""
    answer = client.ask_token(email)
    assert answer.json()["mfa_required"] is True
    token: str = answer.json()["access_token"]
    return token


def verify(client: Client, token: str, code: str) -> Any:
    return client.post("/auth/2fa/verify", json={"code": code}, headers=bearer(token))
