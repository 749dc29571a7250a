"""Every list is read by an index that is in the order of the list: a page costs the same, however much there is."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event

from watchword.crypto.ids import new_id
from watchword.storage import Database, Stores

HERE = new_id()
ReadsPage = Callable[[Stores], Awaitable[Any]]

LISTS: dict[str, ReadsPage] = {
    "users": lambda stores: stores.users.page(after=HERE, limit=50),
    "users by address": lambda stores: stores.users.search("ada", after="ada@example.com", limit=50),
    "all users by address": lambda stores: stores.users.search("", after=None, limit=50),
    "roles": lambda stores: stores.roles.page(after="editor", limit=50),
    "members of a role": lambda stores: stores.roles.members("editor", after=HERE, limit=50),
    "sessions of a user": lambda stores: stores.sessions.page(HERE, before=HERE, limit=50),
    "browser sessions of a user": lambda stores: stores.browser_sessions.page(HERE, before=HERE, limit=50),
    "clients": lambda stores: stores.clients.page(after_id="a", limit=50),
    "API keys": lambda stores: stores.api_keys.page(None, before=HERE, limit=50),
    "API keys of a user": lambda stores: stores.api_keys.page(HERE, before=HERE, limit=50),
    "API keys of a client": lambda stores: stores.api_keys.page("client", before=HERE, limit=50),
    "events": lambda stores: stores.events.page(user_id=None, before=HERE, limit=50),
    "events of a user": lambda stores: stores.events.page(user_id=HERE, before=HERE, limit=50),
    "outbox": lambda stores: stores.outbox.page(after_id=HERE, limit=50),
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_is_read_in_the_order_of_an_index(storage: Database, name: str) -> None:
    plan = await plan_of(storage, LISTS[name])
    assert plan
    for line in plan:
        # Where there is another way, the planner was told to take it.
        assert not any(word in line for word in ("Seq Scan", "Sort", "TEMP B-TREE FOR ORDER BY")), plan
        assert "SCAN" not in line or "USING" in line, plan


async def plan_of(storage: Database, read: ReadsPage) -> list[str]:
    """How the database would read what the list reads first."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    event.listen(storage.engine.sync_engine, "before_cursor_execute", note)
    try:
        async with storage.reading() as stores:
            await read(stores)
    finally:
        event.remove(storage.engine.sync_engine, "before_cursor_execute", note)
    statement, parameters = next(each for each in sent if each[0].startswith("SELECT"))
    async with storage.connection() as connection:
        if connection.dialect.name == "sqlite":
            rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [row.detail for row in rows]
        for way in ("enable_seqscan", "enable_sort"):
            await connection.exec_driver_sql(f"SET {way} = off")
        lines = (await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)).scalars().all()
        # Behind the list come the looks at what its rows refer to.
        return list(itertools.takewhile(lambda line: "SubPlan" not in line.split("  ->")[0], lines))
