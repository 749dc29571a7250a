"""What `docs/host-tables.md` says of foreign keys, on both databases."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid, func, select

from watchword import StillReferenced, user_id_column
from watchword.storage import Database


async def table_with_a_row(database: Database, user_id: UUID, **foreign_key: Any) -> Table:
    host = Table("host", MetaData(), Column("user_id", Uuid, ForeignKey(user_id_column, **foreign_key)))
    async with database.connection(writes=True) as connection:
        await connection.run_sync(host.create)
        await connection.execute(host.insert().values(user_id=user_id))
    return host


async def rows_of(database: Database, host: Table) -> int:
    async with database.connection() as connection:
        return (await connection.execute(select(func.count()).select_from(host))).scalar_one()


async def test_a_user_that_a_host_row_refers_to_stays(start: Callable[..., Any], database_url: str) -> None:
    async with start(database_url) as auth:
        database = auth.open_session.storage
        user = await auth.users.create("alice@example.com")
        host = await table_with_a_row(database, user.id)
        with pytest.raises(StillReferenced):
            await auth.users.delete(user.id)
        assert await auth.users.get(user.id) == user
        assert await rows_of(database, host) == 1


async def test_a_cascading_foreign_key_takes_the_host_row_along(start: Callable[..., Any], database_url: str) -> None:
    async with start(database_url) as auth:
        database = auth.open_session.storage
        user = await auth.users.create("alice@example.com")
        host = await table_with_a_row(database, user.id, ondelete="CASCADE")
        await auth.users.delete(user.id)
        assert await auth.users.get(user.id) is None
        assert await rows_of(database, host) == 0
