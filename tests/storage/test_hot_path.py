"""What a login reads and writes past the pool: all of it or nothing, on both databases and in memory."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.storage.conftest import add_user
from tests.storage.test_sessions import LIFETIMES

from watchword.crypto.ids import new_id
from watchword.crypto.refresh_tokens import new_handle
from watchword.model import Account, AttemptKind, Device, NewHash, Session
from watchword.storage import Database
from watchword.storage.hot_path import blocked_for, find_account, is_on_a_new_device, open_session
from watchword.storage.schema import upgrade
from watchword.storage.sessions import NewSession

pytestmark = pytest.mark.anyio

HASH = NewHash("$argon2id$new", "argon2")
HERE = Device("agent", "::1")


@pytest.fixture(params=["sqlite_url", "postgresql_url", "in memory"])
async def storage(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param == "in memory":
        database = Database("sqlite+aiosqlite://")
        await upgrade(database)
    else:
        database = Database(request.getfixturevalue(request.param))
    yield database
    await database.close()


def new_session(device: Device = HERE) -> NewSession:
    return NewSession(new_id(), new_handle(), "first-party", frozenset({"a"}), ("pwd",), device)


async def found(storage: Database, account: Account) -> Account:
    async with storage.reading() as stores:
        current = await stores.users.get(account.id)
    assert current is not None
    return current


async def test_an_account_is_found_as_its_store_finds_it(storage: Database) -> None:
    account = await add_user(storage)
    async with storage.reading() as stores:
        expected = await stores.users.find("a@example.com")
    assert await find_account(storage, "a@example.com") == expected
    assert (await find_account(storage, "a@example.com") or account).id == account.id
    assert await find_account(storage, "b@example.com") is None


async def test_a_login_leaves_a_session_its_moment_and_a_stronger_hash(storage: Database) -> None:
    account = await add_user(storage)
    new = new_session()
    opened = await open_session(storage, account, new, LIFETIMES, rehashed=HASH)
    async with storage.reading() as stores:
        assert await stores.sessions.find(new.handle) == (opened, 0)
        assert (await stores.users.find("a@example.com") or account).password_hash == HASH.encoded
    assert opened is not None
    last_login_at = (await found(storage, account)).last_login_at
    assert last_login_at is not None
    assert last_login_at <= opened.created_at


async def test_without_a_new_hash_the_old_one_stays(storage: Database) -> None:
    account = await add_user(storage)
    await open_session(storage, account, new_session(), LIFETIMES, rehashed=HASH)
    account = replace(account, password_hash=HASH.encoded)
    assert await open_session(storage, account, new_session(), LIFETIMES, rehashed=None) is not None
    assert (await find_account(storage, "a@example.com") or account).password_hash == HASH.encoded


async def test_an_account_that_is_not_what_it_was_gets_no_session(storage: Database) -> None:
    account = await add_user(storage)
    new = new_session()
    changed = replace(account, token_epoch=account.token_epoch + 1)
    assert await open_session(storage, changed, new, LIFETIMES, rehashed=HASH) is None
    async with storage.reading() as stores:
        assert await stores.sessions.find(new.handle) is None
    assert (await found(storage, account)).last_login_at is None


async def test_a_session_that_cannot_be_added_leaves_no_trace_of_a_login(storage: Database) -> None:
    account = await add_user(storage)
    new = new_session()
    assert await open_session(storage, account, new, LIFETIMES, rehashed=None) is not None
    before = await found(storage, account)
    with pytest.raises(Exception, match=r"(?i)unique"):  # the handle is taken
        await open_session(storage, account, replace(new, id=new_id()), LIFETIMES, rehashed=None)
    assert await found(storage, account) == before
    assert await open_session(storage, account, new_session(), LIFETIMES, rehashed=None) is not None


async def test_what_one_may_not_do_is_refused_to_it_alone(storage: Database) -> None:
    account = await add_user(storage)
    taken = new_session()
    assert await open_session(storage, account, taken, LIFETIMES, rehashed=None) is not None
    logins = (new_session(), replace(taken, id=new_id()), new_session())
    outcomes = await asyncio.gather(
        *(open_session(storage, account, new, LIFETIMES, rehashed=None) for new in logins), return_exceptions=True
    )
    assert [isinstance(outcome, Session) for outcome in outcomes] == [True, False, True]
    async with storage.reading() as stores:
        assert {found.id for found in await stores.sessions.page(account.id, before=None, limit=9)} == {
            taken.id, logins[0].id, logins[2].id,
        }  # fmt: skip


async def test_a_device_is_new_where_there_are_others_and_none_is_the_same(storage: Database) -> None:
    account = await add_user(storage)
    elsewhere = Device("another", None)
    first, second = new_session(), new_session(elsewhere)
    await open_session(storage, account, first, LIFETIMES, rehashed=None)
    assert not await is_on_a_new_device(storage, first.id, account.id, HERE)
    await open_session(storage, account, second, LIFETIMES, rehashed=None)
    assert await is_on_a_new_device(storage, second.id, account.id, elsewhere)
    third = new_session(elsewhere)
    await open_session(storage, account, third, LIFETIMES, rehashed=None)
    assert not await is_on_a_new_device(storage, third.id, account.id, elsewhere)


async def test_who_only_reads_waits_for_nobody_who_writes(sqlite_url: str) -> None:
    storage = Database(sqlite_url)
    await add_user(storage)
    writer = sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    account, failures = await asyncio.wait_for(
        asyncio.gather(
            find_account(storage, "a@example.com"), blocked_for(storage, AttemptKind.PASSWORD, b"a@example.com")
        ),
        timeout=2,  # the lock would be waited for for five
    )
    assert account is not None
    assert failures is None
    writer.close()
    await storage.close()
