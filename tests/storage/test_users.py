"""The user store: the same suite on both databases, races and rollback included."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from watchword.crypto.ids import new_id
from watchword.errors import StorageDown
from watchword.model import Account, NewHash
from watchword.storage import Database
from watchword.storage.users import ImportedAccount, NewAccount, Taken

pytestmark = pytest.mark.anyio

OLD = NewHash("$2b$04$" + "a" * 53, "$2b$04")
NEW = NewHash("$argon2id$v=19$m=7168,t=1,p=1$c2FsdHNhbHQ$ZGlnZXN0", "$argon2id$v=19$m=7168,t=1,p=1")


async def add(storage: Database, email: str = "a@example.com", password: NewHash | None = OLD) -> Account:
    async with storage.transaction() as stores:
        account = await stores.users.add(NewAccount(new_id(), email, email, password, {"city": "Oslo"}))
    assert account is not None
    return account


async def read(storage: Database, user_id: UUID) -> Account:
    async with storage.reading() as stores:
        account = await stores.users.get(user_id)
    assert account is not None
    return account


async def test_what_is_written_is_read_back_with_times_in_utc(storage: Database) -> None:
    account = await add(storage)
    again = await read(storage, account.id)
    assert again == account
    assert again.created_at.utcoffset() is not None
    assert again.profile == {"city": "Oslo"}
    async with storage.reading() as stores:
        assert await stores.users.find("a@example.com") == account
        assert await stores.users.find("b@example.com") is None
        assert await stores.users.get(new_id()) is None


async def test_of_imported_accounts_those_whose_address_or_id_is_taken_are_left_out(storage: Database) -> None:
    there = await add(storage)
    named = NewAccount(there.id, "b@example.com", "b@example.com", None, {})
    same = NewAccount(new_id(), "A@example.com", "a@example.com", NEW, {})
    fresh = [NewAccount(new_id(), f"{n}@example.com", f"{n}@example.com", NEW if n else None, {"n": n}) for n in (0, 1)]
    async with storage.transaction() as stores:
        inserted = await stores.users.add_imported(
            [
                ImportedAccount(new, is_active=new is fresh[0], is_email_verified=new is fresh[1])
                for new in (named, same, *fresh)
            ]
        )
    assert inserted == {new.id for new in fresh}
    assert await read(storage, there.id) == there
    zero, one = [await read(storage, new.id) for new in fresh]
    assert (zero.is_active, zero.email_verified_at, zero.password_hash, zero.profile) == (True, None, None, {"n": 0})
    assert (one.is_active, one.password_hash, one.token_epoch) == (False, NEW.encoded, 0)
    assert one.email_verified_at is not None
    assert one.email_verified_at.utcoffset() is not None
    async with storage.reading() as stores:
        taken = await stores.users.taken(emails=["a@example.com", "c@example.com"], ids=[zero.id, new_id()])
        assert taken == Taken(frozenset({"a@example.com"}), frozenset({zero.id}))
        assert await stores.users.taken(emails=[], ids=[]) == Taken(frozenset(), frozenset())


async def test_of_many_sign_ups_at_once_with_one_address_one_wins(storage: Database) -> None:
    async def attempt() -> Account | None:
        async with storage.transaction() as stores:
            return await stores.users.add(NewAccount(new_id(), "a@example.com", "a@example.com", None, {}))

    outcomes = await asyncio.gather(*(attempt() for _ in range(20)))
    assert len([account for account in outcomes if account is not None]) == 1


async def test_a_transaction_that_raises_leaves_nothing(storage: Database) -> None:
    user_id = new_id()
    with pytest.raises(RuntimeError, match="on purpose"):
        async with storage.transaction() as stores:
            await stores.users.add(NewAccount(user_id, "a@example.com", "a@example.com", None, {}))
            raise RuntimeError("on purpose")
    async with storage.reading() as stores:
        assert await stores.users.get(user_id) is None


async def test_a_login_counts_only_for_the_account_that_was_verified(storage: Database) -> None:
    verified = await add(storage)
    async with storage.transaction() as stores:
        assert await stores.users.record_login(verified, rehashed=NEW)
    after = await read(storage, verified.id)
    assert after.password_hash == NEW.encoded
    assert after.last_login_at is not None
    async with storage.transaction() as stores:  # the hash that was verified is no longer there
        assert not await stores.users.record_login(verified, rehashed=OLD)
    assert (await read(storage, verified.id)).password_hash == NEW.encoded


async def test_a_login_does_not_count_once_the_user_is_disabled(storage: Database) -> None:
    verified = await add(storage)
    async with storage.transaction() as stores:
        await stores.users.set_active(verified.id, active=False)
    async with storage.transaction() as stores:
        assert not await stores.users.record_login(verified, rehashed=None)


async def test_disabling_raises_the_epoch_once(storage: Database) -> None:
    account = await add(storage)
    async with storage.transaction() as stores:
        first = await stores.users.set_active(account.id, active=False)
        assert await stores.users.set_active(account.id, active=False) is None
        assert await stores.users.set_active(new_id(), active=False) is None
    assert first is not None
    assert (await read(storage, account.id)).token_epoch == 1
    assert not first.is_active


async def test_of_two_password_changes_at_once_one_wins(storage: Database) -> None:
    verified = await add(storage)

    async def change(number: int) -> bool:
        async with storage.transaction() as stores:
            return await stores.users.replace_password(verified, NewHash(f"hash {number}", "scheme"))

    outcomes = await asyncio.gather(*(change(number) for number in range(10)))
    assert outcomes.count(True) == 1
    assert (await read(storage, verified.id)).token_epoch == 1


async def test_profile_updates_at_once_wait_for_one_another(storage: Database) -> None:
    account = await add(storage)

    async def append(field: str) -> None:
        async with storage.transaction() as stores:
            locked = await stores.users.lock(account.id)
            assert locked is not None
            await asyncio.sleep(0)
            await stores.users.set_profile(account.id, {**locked.profile, field: True})

    await asyncio.gather(*(append(f"field{number}") for number in range(8)))
    assert len((await read(storage, account.id)).profile) == 9


async def test_pages_follow_the_order_of_sign_up(storage: Database) -> None:
    ids = [(await add(storage, f"{number}@example.com")).id for number in range(5)]
    async with storage.reading() as stores:
        first = await stores.users.page(after=None, limit=2)
        rest = await stores.users.page(after=first[-1].id, limit=10)
    assert [account.id for account in [*first, *rest]] == sorted(ids)


async def test_the_distinct_schemes_are_found(storage: Database) -> None:
    async with storage.reading() as stores:
        assert await stores.users.password_schemes() == []
    for number, password in enumerate([OLD, NEW, OLD, None]):
        await add(storage, f"{number}@example.com", password)
    async with storage.reading() as stores:
        assert set(await stores.users.password_schemes()) == {OLD.scheme, NEW.scheme}


async def test_deleting_says_whether_there_was_anything(storage: Database) -> None:
    account = await add(storage)
    async with storage.transaction() as stores:
        assert await stores.users.delete(account.id)
        assert not await stores.users.delete(account.id)


async def test_a_full_pool_is_refused_in_bounded_time(database_url: str) -> None:
    storage = Database(database_url, pool_size=1)
    try:
        async with storage.transaction():
            with pytest.raises(StorageDown):
                async with storage.reading():
                    pass
    finally:
        await storage.close()


def test_a_row_shows_no_hash(request: pytest.FixtureRequest) -> None:
    fields: dict[str, Any] = dict.fromkeys(Account.__dataclass_fields__)
    account = Account(**{**fields, "password_hash": "$argon2id$secret"})
    assert "secret" not in repr(account)
    assert "secret" not in repr(NewHash("secret", "scheme"))
