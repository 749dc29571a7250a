"""Refreshes that go straight to the driver: each asker gets its own answer, whatever happens beside it."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import PostgreSQL
from tests.storage.conftest import add_user
from tests.storage.test_sessions import LIFETIMES, add_session

from watchword.crypto.refresh_tokens import RefreshToken
from watchword.errors import StorageDown
from watchword.events import UserDeleted
from watchword.flows.record_events import RecordEvents
from watchword.model import Account, Device
from watchword.storage import Database, hot_path
from watchword.storage import database as database_module
from watchword.storage.direct import DirectPostgresql
from watchword.storage.schema import upgrade
from watchword.storage.sessions import RefreshAttempt, Retried, Rotated
from watchword.storage.tables import session

pytestmark = pytest.mark.anyio

MANY = 40
OURS = "FROM pg_stat_activity WHERE datname = current_database()"


def attempt(handle: bytes, generation: int = 0, leeway: timedelta = timedelta(seconds=30)) -> RefreshAttempt:
    return RefreshAttempt(RefreshToken(handle, generation), "first-party", Device("agent"), LIFETIMES.idle, leeway)


async def sessions(storage: Database, number: int) -> dict[bytes, Any]:
    """Handles of new sessions, and their ids."""
    account = await add_user(storage)
    return {handle: added.id for added, handle in [await add_session(storage, account) for _ in range(number)]}


async def test_of_many_at_once_each_gets_its_own_session(database_url: str) -> None:
    storage = Database(database_url)
    handles = await sessions(storage, MANY)
    rotate = partial(hot_path.rotate, storage)
    outcomes = await asyncio.gather(*(rotate(attempt(handle)) for handle in handles))
    for outcome, session_id in zip(outcomes, handles.values(), strict=True):
        assert isinstance(outcome, Rotated)
        assert (outcome.session.id, outcome.generation) == (session_id, 1)
    await storage.close()
    again = Database(database_url)  # whoever was answered, it was committed
    async with again.connection() as connection:
        assert set((await connection.execute(select(session.c.generation))).scalars()) == {1}
    await again.close()


async def test_of_many_with_one_token_one_rotates_and_the_others_are_retries(database_url: str) -> None:
    storage = Database(database_url)
    [handle] = await sessions(storage, 1)
    rotate = partial(hot_path.rotate, storage)
    outcomes = await asyncio.gather(*(rotate(attempt(handle)) for _ in range(MANY)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Retried"] * (MANY - 1) + ["Rotated"]
    assert {outcome.generation for outcome in outcomes if isinstance(outcome, Rotated | Retried)} == {1}
    await storage.close()


async def test_what_is_asked_before_the_end_is_answered(sqlite_url: str) -> None:
    storage = Database(sqlite_url)
    handles = await sessions(storage, MANY)
    rotate = partial(hot_path.rotate, storage)
    tasks = [asyncio.create_task(rotate(attempt(handle))) for handle in handles]
    await asyncio.sleep(0)
    await storage.close()
    assert {type(outcome) for outcome in await asyncio.gather(*tasks)} == {Rotated}


async def test_one_who_leaves_takes_nobodys_answer_along(database_url: str) -> None:
    storage = Database(database_url)
    handles = await sessions(storage, MANY)
    rotate = partial(hot_path.rotate, storage)
    tasks = [asyncio.create_task(rotate(attempt(handle))) for handle in handles]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, Rotated) for outcome in outcomes[1::2])
    assert isinstance(await rotate(attempt(next(iter(handles)))), Rotated | Retried)
    await storage.close()


async def test_a_locked_sqlite_is_a_storage_that_is_down_and_then_it_is_not(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database_module._SQLITE_OPTIONS, "timeout", 0.2)
    storage = Database(sqlite_url)
    handles = await sessions(storage, 3)
    rotate = partial(hot_path.rotate, storage)
    blocker = sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    refused = await asyncio.gather(*(rotate(attempt(handle)) for handle in handles), return_exceptions=True)
    assert [type(refusal) for refusal in refused] == [StorageDown] * 3
    blocker.execute("ROLLBACK")
    blocker.close()
    assert {type(await rotate(attempt(handle))) for handle in handles} == {Rotated}
    await storage.close()


async def test_a_database_in_memory_refreshes_over_its_one_connection() -> None:
    storage = Database("sqlite+aiosqlite://")
    await upgrade(storage)
    [handle] = await sessions(storage, 1)
    outcomes = await asyncio.gather(*(hot_path.rotate(storage, attempt(handle)) for _ in range(5)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Retried"] * 4 + ["Rotated"]
    await storage.close()


async def test_a_database_in_memory_outlives_who_leaves_in_the_middle() -> None:
    for turns in range(1, 30):
        storage = Database("sqlite+aiosqlite://")
        await upgrade(storage)
        account = await add_user(storage)
        asked = asyncio.create_task(hot_path.find_account(storage, account.email))
        for _ in range(turns):
            await asyncio.sleep(0)
        is_over = asked.done()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert await hot_path.find_account(storage, account.email) == account
        await storage.close()
        if is_over:
            return


async def test_postgresql_is_asked_over_no_more_connections_than_the_setting_says(postgresql_url: str) -> None:
    storage = Database(postgresql_url, pool_size=4)
    async with storage.connection() as connection:  # those of the test before may still be ending
        first = (await connection.execute(text(f"SELECT backend_start {OURS} AND pid = pg_backend_pid()"))).scalar_one()
    handles = await sessions(storage, MANY)
    rotate = partial(hot_path.rotate, storage)

    async def busy(handle: bytes) -> None:
        assert isinstance(await rotate(attempt(handle)), Rotated)
        async with storage.transaction() as stores:
            assert await stores.sessions.find(handle) is not None

    await asyncio.gather(*(busy(handle) for handle in handles))
    async with storage.connection() as connection:
        counted = await connection.execute(
            text(f"SELECT count(*) {OURS} AND backend_start >= :first"), {"first": first}
        )
        number = counted.scalar_one()
    await storage.close()
    assert 1 < number <= 4


async def test_a_backend_that_went_away_costs_no_refresh(postgresql: PostgreSQL, postgresql_url: str) -> None:
    storage = Database(postgresql_url)
    handles = list(await sessions(storage, 2))
    rotate = partial(hot_path.rotate, storage)
    assert isinstance(await rotate(attempt(handles[0])), Rotated)
    name = postgresql.name_of(postgresql_url)
    postgresql.root.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';")
    await asyncio.sleep(0.1)
    assert isinstance(await rotate(attempt(handles[1])), Rotated)
    await storage.close()


async def test_where_the_default_is_serializable_one_of_many_still_rotates(
    postgresql: PostgreSQL, postgresql_url: str
) -> None:
    name = postgresql.name_of(postgresql_url)
    postgresql.root.psql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';")
    storage = Database(postgresql_url)
    [handle] = await sessions(storage, 1)
    rotate = partial(hot_path.rotate, storage)
    for generation in range(5):
        outcomes = await asyncio.gather(*(rotate(attempt(handle, generation)) for _ in range(8)))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Retried"] * 7 + ["Rotated"]
    await storage.close()


async def test_what_the_server_no_longer_has_prepared_is_kept_and_rotated_all_the_same(postgresql_url: str) -> None:
    storage = Database(postgresql_url)
    [handle] = await sessions(storage, 1)
    rotate, record = partial(hot_path.rotate, storage), RecordEvents(storage)
    direct = storage.direct
    assert isinstance(direct, DirectPostgresql)

    async def deallocate() -> None:
        for connection in direct._idle:  # as a pooler does that changes the backend
            await connection.driver.execute("DEALLOCATE ALL")

    assert isinstance(await rotate(attempt(handle)), Rotated)
    await deallocate()
    assert isinstance(await rotate(attempt(handle, 1)), Rotated)
    await record(UserDeleted(user_id=UUID(int=1)))
    await deallocate()
    await record(UserDeleted(user_id=UUID(int=2)))
    async with storage.reading() as stores:
        found = await stores.sessions.find(handle)
        kept = await stores.events.page(user_id=None, before=None, limit=10)
    assert found is not None
    assert found[1] == 2
    assert [event.user_id for event in kept] == [UUID(int=2), UUID(int=1)]
    await storage.close()


async def test_who_finds_no_connection_free_is_told_soon(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.storage.direct._WAIT_SECONDS", 0.2)
    storage = Database(postgresql_url, pool_size=2)
    first, second = await sessions(storage, 2)
    rotate = partial(hot_path.rotate, storage)
    direct = storage.direct
    assert isinstance(direct, DirectPostgresql)
    async with storage.connection(writes=True) as connection:
        await connection.execute(select(session.c.id).where(session.c.handle == first).with_for_update())
        held = asyncio.create_task(rotate(attempt(first)))  # waits for the row, on the one connection
        await asyncio.sleep(0.2)
        with pytest.raises(StorageDown):
            await rotate(attempt(second))
    assert isinstance(await held, Rotated)
    assert isinstance(await rotate(attempt(second)), Rotated)
    await storage.close()


async def test_without_a_leeway_a_token_whose_answer_was_lost_in_here_ends_no_session(postgresql_url: str) -> None:
    storage = Database(postgresql_url)
    [handle] = await sessions(storage, 1)
    rotate = partial(hot_path.rotate, storage)
    strict = attempt(handle, leeway=timedelta(0))
    assert isinstance(await rotate(strict), Rotated)
    direct = storage.direct
    assert isinstance(direct, DirectPostgresql)
    direct._idle[-1].driver.terminate()  # known to be closed: another connection is opened, nothing is sent twice
    outcome = await rotate(attempt(handle, 1, timedelta(0)))
    assert isinstance(outcome, Rotated)
    await storage.close()


@pytest.mark.parametrize("gives_up", ["the time is over", "who asked has gone"])
async def test_what_is_given_up_is_not_done_later(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, gives_up: str
) -> None:
    monkeypatch.setitem(database_module._ASYNCPG_OPTIONS, "command_timeout", 0.5)
    storage, other = Database(postgresql_url), Database(postgresql_url)
    [handle] = await sessions(storage, 1)
    async with other.connection(writes=True) as connection:
        await connection.execute(select(session.c.id).where(session.c.handle == handle).with_for_update())
        asked = asyncio.create_task(hot_path.rotate(storage, attempt(handle)))
        await asyncio.sleep(0.2)
        if gives_up == "who asked has gone":
            asked.cancel()
        [refused] = await asyncio.gather(asked, return_exceptions=True)
        assert isinstance(refused, StorageDown | asyncio.CancelledError)
        await wait_until_nobody_waits(connection)
    async with other.reading() as stores:
        found = await stores.sessions.find(handle)
    assert found is not None
    assert found[1] == 0
    assert isinstance(await hot_path.rotate(storage, attempt(handle)), Rotated)
    await storage.close()
    await other.close()


async def test_what_is_given_up_leaves_no_connections_behind(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database_module._ASYNCPG_OPTIONS, "command_timeout", 0.1)
    storage, other = Database(postgresql_url, pool_size=2), Database(postgresql_url)
    [handle] = await sessions(storage, 1)
    async with other.connection(writes=True) as connection:
        await connection.execute(select(session.c.id).where(session.c.handle == handle).with_for_update())
        for _ in range(10):
            with pytest.raises(StorageDown):
                await hot_path.rotate(storage, attempt(handle))
        await wait_until_nobody_waits(connection)
    await storage.close()
    await other.close()


async def wait_until_nobody_waits(connection: AsyncConnection) -> None:
    """Within seconds, no backend waits for a lock any more."""
    waiting = text(f"SELECT count(*) {OURS} AND wait_event_type = 'Lock'")
    for _ in range(100):
        if not (await connection.execute(waiting)).scalar_one():
            return
        await asyncio.sleep(0.05)
    pytest.fail("a backend still waits")


async def test_who_asks_after_the_end_is_told(database_url: str) -> None:
    storage = Database(database_url)
    [handle] = await sessions(storage, 1)
    assert isinstance(await hot_path.rotate(storage, attempt(handle)), Rotated)
    await storage.close()
    with pytest.raises(StorageDown):
        await storage.send(attempt(handle, 1).call)


def in_other_loops(number: int, ask: Callable[[], Coroutine[Any, Any, None]]) -> list[threading.Thread]:
    """Threads that each run an event loop, and ask at the same moment."""
    barrier = threading.Barrier(number)

    def run() -> None:
        barrier.wait()
        asyncio.run(ask())

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads


async def test_event_loops_that_ask_at_once_share_one_thread(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_slowly(thread: threading.Thread) -> None:
        if thread.name.startswith("watchword-sqlite"):
            time.sleep(0.02)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_slowly)
    storage = Database(sqlite_url)
    await add_user(storage)
    found: list[Account | None] = []

    async def ask() -> None:
        found.append(await hot_path.find_account(storage, "a@example.com"))

    for thread in in_other_loops(6, ask):
        await asyncio.to_thread(thread.join)
    assert len([account for account in found if account is not None]) == 6
    async with asyncio.timeout(5):
        await storage.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watchword-sqlite")]


async def test_another_event_loop_is_told_when_the_database_is_closed_under_it(sqlite_url: str) -> None:
    storage = Database(sqlite_url)
    await add_user(storage)
    assert await hot_path.find_account(storage, "a@example.com") is not None
    has_asked = threading.Event()
    told: list[BaseException | Account | None] = []

    def stall() -> None:
        has_asked.set()
        time.sleep(0.3)

    async def ask() -> None:
        asked = asyncio.create_task(hot_path.find_account(storage, "a@example.com"))
        asyncio.get_running_loop().call_soon(stall)  # what was asked is handed over in the next turn of this loop
        async with asyncio.timeout(5):
            told.extend(await asyncio.gather(asked, return_exceptions=True))

    [thread] = in_other_loops(1, ask)
    await asyncio.to_thread(has_asked.wait)
    await storage.close()
    await asyncio.to_thread(thread.join)
    assert [type(answer) for answer in told] == [StorageDown]
