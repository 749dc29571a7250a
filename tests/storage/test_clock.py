"""The database's clock."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from watchword.storage.clock import after, now
from watchword.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_one_statement_sees_one_moment(storage: Database) -> None:
    """What a row says of one moment is the same in each of its columns."""
    moments = select(*(now().label(f"moment_{n}") for n in range(200)), after(timedelta(0)))
    async with storage.connection() as connection:
        assert len(set((await connection.execute(moments)).one())) == 1


async def test_each_statement_sees_its_own(storage: Database) -> None:
    """Of one transaction, too: what comes later in it is later."""
    async with storage.connection() as connection:
        first = (await connection.execute(select(now()))).scalar_one()
        while (await connection.execute(select(now()))).scalar_one() == first:
            pass
