"""What tests of the stores share."""

from collections.abc import AsyncIterator

import pytest

from watchword.crypto.ids import new_id
from watchword.model import Account
from watchword.storage import Database
from watchword.storage.users import NewAccount


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


async def add_user(storage: Database, email: str = "a@example.com") -> Account:
    async with storage.transaction() as stores:
        account = await stores.users.add(NewAccount(new_id(), email, email, None, {}))
    assert account is not None
    return account
