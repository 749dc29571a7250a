"""F3 and F4: a server killed in the middle of refreshes and logouts loses no session and forgets no revocation."""

import asyncio
import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.faults.servers import KillableServer

from watchword.storage import Database

KILLS = int(os.environ.get("WATCHWORD_TEST_KILLS", "3"))
SESSIONS = 4
MANY = 50  # with so many kills, some answer must have been lost


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[KillableServer]:
    # A leeway that outlasts any restart: what is tested is the retry, not the speed of this machine.
    server = KillableServer(tmp_path, database_url, WATCHWORD_REFRESH_LEEWAY="5m")
    server.start()
    yield server
    server.kill()


class Client:
    """One that refreshes, and remembers what it has traded."""

    def __init__(self, server: KillableServer) -> None:
        self.chain = server.log_in()
        self.traded: list[str] = []

    def refresh(self, client: httpx2.Client) -> Any:
        token = self.chain.refresh_token
        answer = self.chain.refresh(client)  # it asserts the next generation and no other
        if answer.status_code == 200:
            self.traded.append(token)
        return answer


def log_out(client: httpx2.Client, leaving: Client) -> str | None:
    answer = client.post("/auth/logout", headers=leaving.chain.headers)
    return None if answer.status_code == 204 else f"logout: {answer.status_code} {answer.text}"


def be_robbed(client: httpx2.Client, leaving: Client) -> str | None:
    """Somebody sends an old token. The refusal may not be answered before the revocation is committed."""
    answer = client.post("/auth/refresh", json={"refresh_token": leaving.traded[0]})
    return None if answer.status_code == 400 else f"reuse: {answer.status_code} {answer.text}"


Ending = Callable[[httpx2.Client, Client], str | None]


class Load:
    """Clients that refresh without pause until the server is gone, and one whose session ends at some moment."""

    def __init__(
        self, server: KillableServer, clients: list[Client], leaving: Client, *, ending: Ending, after: float
    ) -> None:
        self.server = server
        self.has_left = False
        self.refreshes = 0
        self.faults: list[str] = []
        self.threads = [threading.Thread(target=self.refresh, args=[client]) for client in clients]
        self.leaves = threading.Thread(target=self.leave, args=[leaving, ending, after])
        self.threads.append(self.leaves)
        for thread in self.threads:
            thread.start()

    def refresh(self, client: Client) -> None:
        with self.server.client() as connection:
            while True:
                try:
                    answer = client.refresh(connection)
                except httpx2.TransportError:
                    return  # no answer: nobody knows whether it was traded
                self.refreshes += 1
                if answer.status_code != 200:
                    self.faults.append(f"{answer.status_code} {answer.text}")
                    return

    def leave(self, leaving: Client, ending: Ending, after: float) -> None:
        time.sleep(after)
        try:
            with self.server.client() as connection:
                fault = ending(connection, leaving)
        except httpx2.TransportError:
            return  # no answer: it may have ended or not
        if fault is None:
            self.has_left = True
        else:
            self.faults.append(fault)

    def join(self) -> None:
        for thread in self.threads:
            thread.join()


def generations(url: str) -> dict[bytes, int]:
    """Where each session in force stands."""

    async def read() -> dict[bytes, int]:
        from sqlalchemy import select

        from watchword.storage.tables import session

        database = Database(url)
        async with database.connection() as connection:
            statement = select(session.c.handle, session.c.generation).where(session.c.revoked_at.is_(None))
            rows = (await connection.execute(statement)).all()
        await database.close()
        return {row.handle: row.generation for row in rows}

    return asyncio.run(read())


def assert_ended(connection: httpx2.Client, gone: Client, where: str) -> None:
    assert connection.get("/auth/me", headers=gone.chain.headers).status_code == 401, where
    assert gone.refresh(connection).status_code == 400, where


def test_f3_kill_9_in_the_middle_of_refreshes_loses_no_session_and_leaves_no_two_successors(
    server: KillableServer, database_url: str
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    clients = [Client(server) for _ in range(SESSIONS)]
    refreshes = answered_again = same_successor = 0
    ended: dict[str, list[Client]] = {log_out.__name__: [], be_robbed.__name__: []}
    for number in range(KILLS):
        where = f"kill {number}, seed {seed}"
        leaving, ending = Client(server), (log_out, be_robbed)[number % 2]
        with server.client() as connection:
            for client in [*clients, *[leaving] * 3]:  # what is three generations old is no retry, however recent
                assert client.refresh(connection).status_code == 200, where
        load = Load(server, clients, leaving, ending=ending, after=chance.uniform(0, 0.2))
        if number < len(ended):
            load.leaves.join()  # killed as soon as it is answered, once for each ending: chance may never do it
        else:
            time.sleep(chance.uniform(0.02, 0.3))
        server.kill()
        load.join()
        assert load.faults == [], where
        refreshes += load.refreshes
        ended[ending.__name__] += [leaving] * load.has_left
        before = generations(database_url)
        server.start()
        with server.client() as connection:
            for client in clients:
                chain = client.chain
                was_traded = before[chain.handle] == chain.generation + 1
                assert was_traded or before[chain.handle] == chain.generation, where
                answer = client.refresh(connection)  # the same token again
                assert answer.status_code == 200, f"{where}: {answer.text}"
                again = connection.post("/auth/refresh", json={"refresh_token": client.traded[-1]})
                assert again.status_code == 200, f"{where}: {again.text}"
                assert again.json()["refresh_token"] == chain.refresh_token, where
                answered_again += was_traded
                same_successor += 1
                # F4: what was used stays so. It is refused, but so soon it is taken for a duplicate, not for theft.
                assert connection.post("/auth/refresh", json={"refresh_token": client.traded[-2]}).status_code == 400
            # F4: what was answered stays so after a restart.
            for gone in [*ended[log_out.__name__][-2:], *ended[be_robbed.__name__][-2:]]:
                assert_ended(connection, gone, where)
        after = generations(database_url)
        assert [after[client.chain.handle] for client in clients] == [client.chain.generation for client in clients], (
            where
        )
    logouts, thefts = (len(gone) for gone in ended.values())
    with server.client() as connection:
        for gone in itertools.chain(*ended.values()):
            assert_ended(connection, gone, f"the end, seed {seed}")
    assert refreshes, "the server was killed without load"
    assert len(ended) > KILLS or (logouts and thefts), "F4 was not tested"
    assert KILLS < MANY or answered_again, "no kill came in the middle of a refresh"
    print(
        f"{KILLS} kills, {refreshes} refreshes before them, {answered_again} answers lost and given again, "
        f"{same_successor} retries that got the same successor, {logouts} logouts and {thefts} revocations of stolen "
        f"sessions kept, seed {seed}"
    )
