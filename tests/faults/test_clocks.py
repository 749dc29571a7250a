"""F5: the clock of one process is off by 30 seconds, or by five minutes. Sessions go by the database's clock."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from tests.conftest import SCOPES, Client, make_app, make_settings
from tests.second_factors import Clock, bearer, enrol

from watchword import Watchword
from watchword.crypto.totp import STEP_SECONDS

OFFSETS = (-300, -30, 30, 300)


@pytest.fixture
def now() -> float:
    """The middle of a step, where nothing is about to change."""
    return time.time() // STEP_SECONDS * STEP_SECONDS + STEP_SECONDS / 2


@pytest.fixture
def right(now: float) -> Clock:
    return Clock(now)


@pytest.fixture
def wrong(now: float) -> Clock:
    return Clock(now)


@pytest.fixture
def processes(
    database_url: str, right: Clock, wrong: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Client, Client]]:
    """Two on one database: the clock of the first is right, that of the second is not."""
    clients = []
    with ExitStack() as stack:
        for clock in (right, wrong):
            monkeypatch.setattr("watchword.assembly.time", SimpleNamespace(time=clock))
            auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
            clients.append(stack.enter_context(Client(make_app(auth))))
        clients[0].sign_up()
        yield clients[0], clients[1]


def test_f5_a_token_from_the_future_is_taken_within_the_leeway(
    processes: tuple[Client, Client], wrong: Clock, now: float
) -> None:
    """Whoever is behind sees the others' tokens come from the future; `exp` leaves ten minutes on either side."""
    here, there = processes
    for offset in OFFSETS:
        wrong.now = now + offset
        ours, theirs = here.log_in(), there.log_in()
        assert there.get("/mine", headers=ours).status_code == (401 if offset < -30 else 200), offset
        assert here.get("/mine", headers=theirs).status_code == (401 if offset > 30 else 200), offset
        assert there.get("/mine", headers=theirs).status_code == 200, offset


def test_f5_sessions_do_not_see_a_wrong_clock(processes: tuple[Client, Client], wrong: Clock, now: float) -> None:
    here, there = processes
    for offset in OFFSETS:
        wrong.now = now + offset
        token = there.ask_token().json()["refresh_token"]
        for first, second in ((here, there), (there, here)):
            answers = [each.post("/auth/refresh", json={"refresh_token": token}) for each in (first, second)]
            assert [answer.status_code for answer in answers] == [200, 200], "the second is a retry within the leeway"
            (token,) = {answer.json()["refresh_token"] for answer in answers}
    wrong.now = now + 100 * 86_400  # long after every end
    answer = there.post("/auth/refresh", json={"refresh_token": token})
    assert answer.status_code == 200
    here_again = here.post("/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]}).json()
    assert here.get("/mine", headers=bearer(here_again["access_token"])).status_code == 200


def test_f5_a_code_is_judged_by_the_servers_clock(
    processes: tuple[Client, Client], right: Clock, wrong: Clock, now: float
) -> None:
    """ASVS 6.5.8. The phone is right: a server that is half a minute off takes its code, one that is five is not."""
    here, there = processes
    phone, _ = enrol(here, right, here.log_in())
    for offset in OFFSETS:
        right.tick(3)
        wrong.now = right.now + offset
        code = phone.code()
        assert there.ask_token(otp=code).status_code == (200 if abs(offset) == 30 else 400), offset
        assert here.ask_token(otp=code).status_code == (400 if abs(offset) == 30 else 200), "used, or not"
