"""F7 and revocation with several workers: one new generation, and a logout that is in force in all of them."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import forks
from tests.conftest import EMAIL, SCOPES, Client, make_app, make_settings
from tests.faults.servers import KEYS, Chain, KillableServer
from tests.faults.test_kills import generations

from watchword import Watchword

AT_ONCE = 50
CONNECTIONS = 60
STALENESS = 1.0  # WATCHWORD_REVOCATION_STALENESS, as it is if nobody sets it


@contextmanager
def four_workers(directory: Path, database_url: str, **settings: str) -> Iterator[KillableServer]:
    server = KillableServer(directory, database_url, "--workers", "4", **settings)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def workers(tmp_path: Path, database_url: str) -> Iterator[KillableServer]:
    with four_workers(tmp_path, database_url) as server:
        yield server


@pytest.fixture
def strict_workers(tmp_path: Path, database_url: str) -> Iterator[KillableServer]:
    with four_workers(tmp_path, database_url, WATCHWORD_REFRESH_LEEWAY="0") as server:
        yield server


def at_once(server: KillableServer, token: str) -> list[Any]:
    """Many refreshes of one token, each on a connection of its own."""

    def send(_number: int) -> Any:
        with server.client() as client:
            return client.post("/auth/refresh", json={"refresh_token": token})

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(send, range(AT_ONCE)))


def test_f7_parallel_refreshes_over_four_workers_give_one_generation(
    workers: KillableServer, database_url: str
) -> None:
    chain = workers.log_in()
    for _ in range(3):
        answers = at_once(workers, chain.refresh_token)
        assert {answer.status_code for answer in answers} == {200}
        (successor,) = {answer.json()["refresh_token"] for answer in answers}
        assert KEYS.decode(successor).generation == chain.generation + 1
        assert generations(database_url)[chain.handle] == chain.generation + 1
        chain = Chain(successor, answers[0].json()["access_token"])
    with workers.client() as client:
        metrics = client.get("/metrics").text
    assert 'watchword_refreshes_total{outcome="rotated"} 3.0' in metrics, "all workers count together"
    assert f'watchword_refreshes_total{{outcome="retried"}} {3.0 * (AT_ONCE - 1)}' in metrics


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
