"""SQLite by way of aiosqlite's thread: who leaves in the middle leaves nothing behind."""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from watchword.storage import Database

pytestmark = pytest.mark.anyio


async def test_who_leaves_while_a_transaction_waits_for_the_lock_leaves_no_lock(sqlite_url: str) -> None:
    storage = Database(sqlite_url, pool_size=2)  # one connection for transactions, which all share
    other = sqlite3.connect(str(make_url(sqlite_url).database), isolation_level=None, timeout=0.1)
    for _ in range(5):
        async with storage.connection() as connection:
            await connection.execute(text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with storage.transaction() as stores:
                await stores.users.find("nobody@example.com")

        waiting = asyncio.create_task(write())
        await asyncio.sleep(0.05)
        waiting.cancel()
        other.execute("ROLLBACK")  # and now the thread gets the lock, for nobody
        with suppress(asyncio.CancelledError):
            await waiting
        async with storage.connection() as connection:
            await connection.execute(text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    await storage.close()
    other.close()


async def test_a_read_is_one_hop_and_its_connection_needs_no_rollback(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Database(sqlite_url)
    async with storage.reading() as stores:  # opens the connection
        await stores.users.find("nobody@example.com")
    hops = 0
    async with storage.connection() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
    execute = driver._execute

    async def counted(*arguments: object) -> object:
        nonlocal hops
        hops += 1
        return await execute(*arguments)

    monkeypatch.setattr(driver, "_execute", counted)
    async with storage.reading() as stores:
        await stores.users.find("nobody@example.com")
    assert hops == 1
    async with storage.transaction() as stores:
        await stores.users.find("nobody@example.com")
    assert hops == 1 + 3  # BEGIN, the statement, COMMIT
    await storage.close()
