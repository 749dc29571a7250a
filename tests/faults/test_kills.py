"""F3 and F4: a server killed in the middle of refreshes and logouts loses no session and forgets no logout."""

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.faults.servers import Chain, KillableServer

from watchword.storage import Database

KILLS = int(os.environ.get("WATCHWORD_TEST_KILLS", "4"))
SESSIONS = 4


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[KillableServer]:
    # A leeway that outlasts any restart: what is tested is the retry, not the speed of this machine.
    server = KillableServer(tmp_path, database_url, WATCHWORD_REFRESH_LEEWAY="5m")
    server.start()
    yield server
    server.kill()


class Load:
    """Clients that refresh without pause until the server is gone, and one that logs out at some moment."""

    def __init__(self, server: KillableServer, chains: list[Chain], leaving: Chain, *, leave_after: float) -> None:
        self.server = server
        self.leaving = leaving
        self.leave_after = leave_after
        self.has_left = False
        self.refreshes = 0
        self.faults: list[str] = []
        self.threads = [threading.Thread(target=self.refresh, args=[chain]) for chain in chains]
        self.threads.append(threading.Thread(target=self.log_out))
        for thread in self.threads:
            thread.start()

    def refresh(self, chain: Chain) -> None:
        with self.server.client() as client:
            while True:
                try:
                    answer = chain.refresh(client)
                except httpx2.TransportError:
                    return  # no answer: nobody knows whether it was traded
                self.refreshes += 1
                if answer.status_code != 200:
                    self.faults.append(f"{answer.status_code} {answer.text}")
                    return

    def log_out(self) -> None:
        time.sleep(self.leave_after)
        try:
            with self.server.client() as client:
                answer = client.post("/auth/logout", headers=self.leaving.headers)
        except httpx2.TransportError:
            return
        self.has_left = answer.status_code == 204

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


def test_f3_kill_9_in_the_middle_of_refreshes_loses_no_session_and_leaves_no_two_successors(
    server: KillableServer, database_url: str
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    chains = [server.log_in() for _ in range(SESSIONS)]
    refreshes = answered_again = logouts = 0
    left: list[Chain] = []
    for number in range(KILLS):
        where = f"kill {number}, seed {seed}"
        leaving = server.log_in()
        load = Load(server, chains, leaving, leave_after=chance.uniform(0, 0.2))
        time.sleep(chance.uniform(0.02, 0.3))
        server.kill()
        load.join()
        assert load.faults == [], where
        refreshes += load.refreshes
        left += [leaving] * load.has_left
        logouts += load.has_left
        before = generations(database_url)
        server.start()
        with server.client() as client:
            for chain in chains:
                was_traded = before[chain.handle] == chain.generation + 1
                assert was_traded or before[chain.handle] == chain.generation, where
                answer = chain.refresh(client)  # the same token again; it asserts the next generation and no other
                assert answer.status_code == 200, f"{where}: {answer.text}"
                answered_again += was_traded
            # F4: what was answered stays so after a restart.
            for gone in left[-3:]:
                assert client.get("/auth/me", headers=gone.headers).status_code == 401, where
                assert gone.refresh(client).status_code == 400, where
        after = generations(database_url)
        assert [after[chain.handle] for chain in chains] == [chain.generation for chain in chains], where
    print(
        f"{KILLS} kills, {refreshes} refreshes before them, {answered_again} answers lost and given again, "
        f"{logouts} logouts kept, seed {seed}"
    )
