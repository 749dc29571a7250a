"""The real signals of both databases, and the races they must not lose."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update
from tests.conftest import PostgreSQL

from watchword.feed import Feed
from watchword.model import Revocation, RevocationKind
from watchword.storage import Database
from watchword.storage.schema import upgrade
from watchword.storage.signals import Reader, signals_of
from watchword.storage.tables import revocation

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def open_at(url: str, *, pool_size: int = 5) -> AsyncIterator[Database]:
    database = Database(url, pool_size=pool_size)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[Database]:
    async with open_at(database_url) as database:
        yield database


@pytest.fixture
async def follower(database_url: str) -> AsyncIterator[Database]:
    """Another process, as far as the database can tell."""
    async with open_at(database_url, pool_size=1) as database:
        yield database


async def revoke(database: Database, *session_ids: UUID) -> None:
    async with database.transaction() as stores:
        await stores.revocations.sessions(session_ids)


def of(*session_ids: UUID) -> list[Revocation]:
    return [Revocation(RevocationKind.SESSION, str(session_id)) for session_id in session_ids]


async def news(reader: Reader, *, within: float = 5.0) -> list[Revocation]:
    """What arrives next."""
    deadline = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < deadline:
        await reader.wait(0.2)
        if found := list(await reader.read()):
            return found
    return []


async def test_a_reader_tells_what_is_committed_after_it_was_opened_and_each_row_once(
    writer: Database, follower: Database
) -> None:
    before, first, second = uuid4(), uuid4(), uuid4()
    await revoke(writer, before)
    async with signals_of(follower).reader() as reader:
        assert await reader.read() == []
        await revoke(writer, first, second)
        assert sorted(each.subject for each in await news(reader)) == sorted(str(each) for each in (first, second))
        assert await reader.read() == []


async def test_a_signal_comes_long_before_the_next_poll(writer: Database, follower: Database) -> None:
    async with signals_of(follower).reader() as reader:
        await reader.wait(0.3)
        waiting = asyncio.create_task(reader.wait(30))
        await asyncio.sleep(0.05)
        await revoke(writer, uuid4())
        await asyncio.wait_for(waiting, 5)


async def test_what_is_rolled_back_never_arrives(writer: Database, follower: Database) -> None:
    async with signals_of(follower).reader() as reader:
        with pytest.raises(RuntimeError):
            async with writer.transaction() as stores:
                await stores.revocations.sessions([uuid4()])
                raise RuntimeError("changed my mind")
        kept = uuid4()
        await revoke(writer, kept)
        assert await news(reader) == of(kept)


async def test_a_pruned_row_leaves_no_number_that_comes_again(writer: Database, follower: Database) -> None:
    async with signals_of(follower).reader() as reader:
        await revoke(writer, uuid4())
        assert await news(reader)
        async with writer.connection(writes=True) as connection:
            await connection.execute(revocation.delete())
        later = uuid4()
        await revoke(writer, later)
        assert await news(reader) == of(later)


async def test_a_long_transaction_that_commits_below_what_was_read_is_not_missed(postgresql_url: str) -> None:
    async with open_at(postgresql_url) as writer, open_at(postgresql_url, pool_size=1) as follower:
        slow, quick = uuid4(), uuid4()
        async with AsyncExitStack() as stack:
            reader = await stack.enter_async_context(signals_of(follower).reader())
            async with writer.transaction() as stores:
                await stores.revocations.sessions([slow])  # the lower id, and not committed
                await revoke(writer, quick)  # the higher id, committed first
                assert await news(reader) == of(quick)
                assert await reader.read() == []
            assert await news(reader) == of(slow)
            assert await reader.read() == []


async def test_a_transaction_that_was_open_when_the_reader_was_opened_is_not_missed(postgresql_url: str) -> None:
    async with open_at(postgresql_url) as writer, open_at(postgresql_url, pool_size=1) as follower:
        slow = uuid4()
        async with AsyncExitStack() as stack:
            async with writer.transaction() as stores:
                await stores.revocations.sessions([slow])
                reader = await stack.enter_async_context(signals_of(follower).reader())
                assert await reader.read() == []
            assert await news(reader) == of(slow)


async def test_a_process_that_dies_after_its_commit_has_told_everybody(database_url: str, follower: Database) -> None:
    lost = uuid4()
    async with signals_of(follower).reader() as reader:
        async with open_at(database_url) as dying:
            dying.on_revoked(lambda _: pytest.fail("it was killed before it could tell itself"))
            with pytest.raises(pytest.fail.Exception):
                await revoke(dying, lost)
        assert await news(reader) == of(lost)


async def test_a_lost_listener_is_noticed_replaced_and_nothing_from_before_is_believed(
    postgresql: PostgreSQL, postgresql_url: str
) -> None:
    async with open_at(postgresql_url) as writer, open_at(postgresql_url, pool_size=1) as follower:
        feed = Feed(signals_of(follower), staleness=1.0, forget_after=100.0)
        async with feed.following():
            victim = uuid4()
            (key,) = (each.key for each in of(victim))
            since = feed.position
            assert feed.holds([key], since=since)
            # A revocation in the very gap: the listener is gone and nobody is told.
            async with writer.connection() as connection:
                killed = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                await connection.execute(text(f"{killed} AND datname = current_database() AND query LIKE '%LISTEN%'"))
                await connection.execute(
                    text(f"{killed} AND datname = current_database() AND query LIKE '%pg_current_snapshot%'")
                )
            await revoke(writer, victim)
            assert await holds_no_more(feed, key, since)
            deadline = asyncio.get_running_loop().time() + 10
            while not feed.holds([key], since=feed.position):
                assert asyncio.get_running_loop().time() < deadline, "the feed did not come back"
                await asyncio.sleep(0.02)
            again = feed.position
            await revoke(writer, victim)
            assert await holds_no_more(feed, key, again)


async def holds_no_more(feed: Feed, key: str, since: int) -> bool:
    for _ in range(200):
        if not feed.holds([key], since=since):
            return True
        await asyncio.sleep(0.01)
    return False


async def test_what_this_process_revokes_is_known_before_the_transaction_returns(writer: Database) -> None:
    told: list[Any] = []
    writer.on_revoked(told.extend)
    session_id = uuid4()
    await revoke(writer, session_id)
    assert told == of(session_id)


async def test_a_commit_that_fails_tells_too_since_it_may_have_happened(writer: Database) -> None:
    told: list[Any] = []
    writer.on_revoked(told.extend)
    session_id = uuid4()
    with pytest.raises(RuntimeError):
        async with writer.transaction() as stores:
            await stores.revocations.sessions([session_id])
            raise RuntimeError("the answer to COMMIT was lost")
    assert told == of(session_id)


async def test_a_database_in_memory_has_no_followers_and_needs_none() -> None:
    async with open_at("sqlite+aiosqlite://") as database, signals_of(database).reader() as reader:
        await reader.wait(0.001)
        assert list(await reader.read()) == []


async def test_a_backup_restored_in_place_is_noticed_by_those_who_run(tmp_path: Path, sqlite_url: str) -> None:
    path = sqlite_url.partition(":///")[2]
    async with open_at(sqlite_url) as writer, open_at(sqlite_url, pool_size=1) as follower:
        copy(path, tmp_path / "backup.db")
        feed = Feed(signals_of(follower), staleness=1.0, forget_after=100.0)
        async with feed.following():
            for _ in range(3):
                await revoke(writer, uuid4())
            await asyncio.sleep(0.3)
            since = feed.position
            copy(tmp_path / "backup.db", path)
            victim = uuid4()
            await revoke(writer, victim)  # its number is below the last one that was read
            (key,) = (each.key for each in of(victim))
            assert await holds_no_more(feed, key, since)


def copy(source: str | Path, target: str | Path) -> None:
    with closing(sqlite3.connect(source)) as taken, closing(sqlite3.connect(target)) as given:
        taken.backup(given)


async def test_a_row_from_another_cluster_is_not_new_for_ever(postgresql_url: str) -> None:
    async with (
        open_at(postgresql_url) as writer,
        open_at(postgresql_url, pool_size=1) as follower,
        signals_of(follower).reader() as reader,
    ):
        await revoke(writer, uuid4())
        async with writer.connection(writes=True) as connection:
            await connection.execute(update(revocation).values(transaction_id=2**40))
        for _ in range(3):
            await reader.wait(0.1)
            assert await reader.read() == []
        known = uuid4()
        await revoke(writer, known)
        assert await news(reader) == of(known)


async def test_a_database_in_memory_keeps_what_was_committed_and_nothing_else() -> None:
    async with open_at("sqlite+aiosqlite://") as database:
        await upgrade(database)

        async def write(number: int) -> None:
            with contextlib.suppress(RuntimeError):
                async with database.transaction() as stores:
                    await stores.revocations.sessions([UUID(int=number)])
                    await asyncio.sleep(0)
                    if number % 2:
                        raise RuntimeError("changed my mind")

        async def read() -> None:
            for _ in range(50):
                async with database.reading() as stores:
                    await stores.revocations.in_force(after_id=0, limit=10)

        await asyncio.gather(read(), *(write(number) for number in range(40)))
        async with database.reading() as stores:
            kept = [each.subject for _, each, _ in await stores.revocations.in_force(after_id=0, limit=100)]
        assert sorted(kept) == sorted(str(UUID(int=number)) for number in range(0, 40, 2))
