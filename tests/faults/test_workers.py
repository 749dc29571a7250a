"""Several workers: one new generation, one login by one code, limits that hold over all, a logout in force in all."""

import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import pyotp
import pytest
from tests import forks
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.faults.redis_server import RedisServer, redis_executable
from tests.faults.servers import KEYS, Chain, KillableServer
from tests.faults.test_kills import generations

from watchword import Watchword

AT_ONCE = 50
CONNECTIONS = 60
STALENESS = 1.0  # WATCHWORD_REVOCATION_STALENESS, as it is if nobody sets it


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[KillableServer]:
    """Four workers that share a database and a Redis; started once for each database, and asked by all tests."""
    directory = tmp_path_factory.mktemp("workers")
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite+aiosqlite:///{shutil.copy(sqlite_template, directory / 'watchword.db')}"
        else:
            kept = request.getfixturevalue("kept_databases")
            url = kept.take()
            stack.callback(kept.give_back, url)
        redis = RedisServer(
            redis_executable(), stack.enter_context(tempfile.TemporaryDirectory(prefix="watchword-redis-"))
        )
        redis.start()
        stack.callback(redis.kill)
        settings = {
            "WATCHWORD_REDIS_URL": redis.url,
            "WATCHWORD_RATE_LIMITS": "true",
            "WATCHWORD_RATE_SIGN_UPS": "1000/minute",
            "WATCHWORD_TRUSTED_PROXIES": "127.0.0.1",
        }
        server = KillableServer(directory, url, "--workers", "4", **settings)
        server.start()
        stack.callback(server.kill)
        yield server


@pytest.fixture
def strict_workers(tmp_path: Path, database_url: str) -> Iterator[KillableServer]:
    server = KillableServer(tmp_path, database_url, "--workers", "2", WATCHWORD_REFRESH_LEEWAY="0")
    server.start()
    yield server
    server.kill()


def at_once(server: KillableServer, token: str) -> list[Any]:
    """Many refreshes of one token, each on a connection of its own."""

    def send(_number: int) -> Any:
        with server.client() as client:
            return client.post("/auth/refresh", json={"refresh_token": token})

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(send, range(AT_ONCE)))


def refreshes(server: KillableServer) -> Counter[str]:
    """How they ended, in all workers."""
    with server.client() as client:
        found = re.findall(r'watchword_refreshes_total{outcome="(\w+)"} ([\d.]+)', client.get("/metrics").text)
    return Counter({outcome: int(float(number)) for outcome, number in found})


def test_f7_parallel_refreshes_over_four_workers_give_one_generation(workers: KillableServer) -> None:
    database_url = workers.environment["WATCHWORD_DATABASE_URL"]
    before = refreshes(workers)
    chain = workers.log_in()
    for _ in range(3):
        answers = at_once(workers, chain.refresh_token)
        assert {answer.status_code for answer in answers} == {200}
        (successor,) = {answer.json()["refresh_token"] for answer in answers}
        assert KEYS.decode(successor).generation == chain.generation + 1
        assert generations(database_url)[chain.handle] == chain.generation + 1
        chain = Chain(successor, answers[0].json()["access_token"])
    counted = refreshes(workers) - before
    assert counted == {"rotated": 3, "retried": 3 * (AT_ONCE - 1)}, "all workers count together"


def test_f7_without_leeway_exactly_one_succeeds_and_the_session_ends(
    strict_workers: KillableServer, database_url: str
) -> None:
    chain = strict_workers.log_in()
    answers = at_once(strict_workers, chain.refresh_token)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    assert chain.handle not in generations(database_url)
    (winner,) = (answer.json() for answer in answers if answer.status_code == 200)
    won = Chain(winner["refresh_token"], winner["access_token"])
    with strict_workers.client() as client:
        assert client.get("/auth/me", headers=won.headers).status_code == 401
        assert won.refresh(client).status_code == 400


@pytest.mark.parametrize("leeway", ["30s", "0"])
def test_f7_parallel_refreshes_in_one_process(database_url: str, leeway: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url, refresh_leeway=leeway), scopes=SCOPES)
    with Client(make_app(auth)) as client:
        client.sign_up()
        token = client.ask_token().json()["refresh_token"]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = list(
                threads.map(lambda _: client.post("/auth/refresh", json={"refresh_token": token}), range(AT_ONCE))
            )
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == ({200: AT_ONCE} if leeway == "30s" else {200: 1, 400: AT_ONCE - 1})
    assert len({answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}) == 1


@dataclass(frozen=True)
class Asked:
    """What a request on a new connection got, and when it was sent."""

    at: float
    status: int


def ask(server: KillableServer, chain: Chain) -> list[Asked]:
    """Requests on many new connections, which the workers share among them."""

    def send(_number: int) -> Asked:
        at = time.monotonic()
        with server.client() as client:
            return Asked(at, client.get("/auth/me", headers=chain.headers).status_code)

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(send, range(CONNECTIONS)))


def statuses(server: KillableServer, chain: Chain) -> Counter[int]:
    return Counter(asked.status for asked in ask(server, chain))


def seconds_until_ended(server: KillableServer, chain: Chain, *, since: float) -> float:
    """When the last request was sent that was let in; it asks until long enough, and then once more."""
    asked: list[Asked] = []
    while True:
        is_last = time.monotonic() > since + STALENESS
        asked += ask(server, chain)
        if is_last:
            break
    assert {one.status for one in asked} <= {200, 401}
    return max((one.at - since for one in asked if one.status == 200), default=0.0)


def log_out(server: KillableServer, chain: Chain) -> None:
    with server.client() as client:
        assert client.post("/auth/logout", headers=chain.headers).status_code == 204


def log_out_everywhere_from_another_login(server: KillableServer, _chain: Chain) -> None:
    other = server.log_in()
    with server.client() as client:
        answer = client.delete("/auth/sessions", params={"everywhere": "true"}, headers=other.headers)
        assert answer.status_code == 204


def revoke_the_token(server: KillableServer, chain: Chain) -> None:
    with server.client() as client:
        assert client.post("/auth/revoke", data={"token": chain.access_token}).status_code == 200


def disable_from_the_command_line(server: KillableServer, _chain: Chain) -> None:
    ran = forks.run("watchword", "users", "disable", EMAIL, cwd=server.directory, env=server.environment)
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def enabled(workers: KillableServer) -> Iterator[None]:
    """Whoever comes next finds the user enabled."""
    yield
    forks.run("watchword", "users", "enable", EMAIL, cwd=workers.directory, env=workers.environment)


@pytest.mark.usefixtures("enabled")
def test_row_19_what_one_worker_or_the_command_line_ends_is_ended_in_all(workers: KillableServer) -> None:
    ends: list[Callable[[KillableServer, Chain], None]] = [
        log_out, revoke_the_token, log_out_everywhere_from_another_login, disable_from_the_command_line,
    ]  # fmt: skip
    for end in ends:
        chain = workers.log_in()
        for _ in range(2):  # one round may pass a worker by
            assert statuses(workers, chain) == {200: CONNECTIONS}, end.__name__
        end(workers, chain)
        seconds = seconds_until_ended(workers, chain, since=time.monotonic())
        print(f"{end.__name__}: let in until {seconds:.3f} s after the answer")
        assert seconds <= STALENESS, end.__name__
        with workers.client() as client:
            goes_on = end is revoke_the_token  # of the access token alone; its session has others
            assert chain.refresh(client).status_code == (200 if goes_on else 400), end.__name__
            if goes_on:
                assert statuses(workers, chain) == {200: CONNECTIONS}, end.__name__


_numbers: Final = count(1)


class Person:
    """Somebody with a second factor, and networks of their own for each request."""

    def __init__(self, server: KillableServer) -> None:
        self.server = server
        self.email = f"person{next(_numbers)}@example.com"
        self.post("/auth/users", json={"email": self.email, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {self.ask_token().json()['access_token']}"}
        made = self.post("/auth/2fa/setup", json={"password": PASSWORD}, headers=headers).json()
        self.phone = pyotp.TOTP(made["secret"])
        confirmed = self.post("/auth/2fa/confirm", json={"code": self.phone.now()}, headers=headers)
        self.recovery_codes: list[str] = confirmed.json()["recovery_codes"]

    def post(self, path: str, *, network: str | None = None, headers: dict[str, str] | None = None, **body: Any) -> Any:
        """On a connection of its own, to whichever worker takes it."""
        number = next(_numbers)
        at = network or f"10.0.{number // 250}.{number % 250}"
        with self.server.client() as client:
            return client.post(path, headers={**(headers or {}), "X-Forwarded-For": at}, **body)

    def ask_token(self, *, password: str = PASSWORD, network: str | None = None, **fields: str) -> Any:
        form = {"grant_type": "password", "username": self.email, "password": password, **fields}
        return self.post("/auth/token", network=network, data=form)

    def next_code(self) -> str:
        """One that was not used: the next step's."""
        return self.phone.at(int(time.time()) + self.phone.interval)

    def wrong_code(self) -> str:
        near = {self.phone.at(int(time.time()) + ahead * self.phone.interval) for ahead in range(-2, 4)}
        return next(digits for digits in map("{:06}".format, range(9)) if digits not in near)


def answered(ask: Callable[[int], Any], times: int) -> Counter[int]:
    """What so many requests at once got."""
    with ThreadPoolExecutor(times) as threads:
        return Counter(answer.status_code for answer in threads.map(ask, range(times)))


@pytest.mark.parametrize("kind", ["totp", "recovery code"])
def test_f7_row_38_one_code_over_all_workers_is_one_login(workers: KillableServer, kind: str) -> None:
    """ASVS 6.5.1, 15.4.2. Who comes after the first is wrong, and after five of them locked."""
    person = Person(workers)
    code = person.next_code() if kind == "totp" else person.recovery_codes[0]
    answers = answered(lambda _: person.ask_token(otp=code), AT_ONCE)
    assert answers[200] == 1
    assert answers.keys() <= {200, 400, 429}


def test_row_38_codes_that_are_guessed_over_all_workers_are_locked_together(workers: KillableServer) -> None:
    """ASVS 6.3.1. From as many networks as there are guesses."""
    person = Person(workers)
    wrong = person.wrong_code()
    assert answered(lambda _: person.ask_token(otp=wrong), 20) == {400: 5, 429: 15}
    refused = person.ask_token(otp=person.next_code())
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 30


def test_row_39_passwords_that_are_guessed_over_all_workers_are_locked_together(workers: KillableServer) -> None:
    person = Person(workers)
    assert answered(lambda _: person.ask_token(password="a wrong watchword"), 12) == {400: 12}
    assert person.ask_token().status_code == 400, "the right one is not heard, from a network that is new"


def test_row_40_a_network_has_one_limit_over_all_workers(workers: KillableServer) -> None:
    """ASVS 6.3.1. Twenty logins a minute, whichever worker gets them."""
    person = Person(workers)
    network = "203.0.113.7"
    answers = answered(lambda _: person.ask_token(network=network, password="a wrong watchword"), 30)
    assert answers == {400: 20, 429: 10}
    assert person.ask_token(network=network).headers["retry-after"]
    assert person.ask_token(network="203.0.113.8").status_code == 400, "another network is heard"
