"""The store of API keys on both databases: last uses move forward, what ended goes, revocations are told."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from tests.storage.conftest import add_user

from watchword.crypto.ids import new_id
from watchword.errors import StorageDown
from watchword.flows.end_everything import EndEverything
from watchword.flows.prune import Prune, Pruned
from watchword.flows.record_api_key_uses import RecordApiKeyUses, recording
from watchword.identity.api_key_uses import ApiKeyUses
from watchword.model import ApiKey, Revocation, RevocationKind
from watchword.storage import Database
from watchword.storage.api_keys import NewApiKey
from watchword.storage.tables import api_key

pytestmark = pytest.mark.anyio


async def add_key(storage: Database, owner: UUID, lifetime: timedelta = timedelta(days=1)) -> ApiKey:
    key_id = new_id()
    new = NewApiKey(key_id, key_id.bytes * 2, "wwk_…abcd", "a key", owner, frozenset({"b", "a"}), lifetime)
    async with storage.transaction() as stores:
        return await stores.api_keys.add(new)


async def last_uses(storage: Database) -> dict[UUID, datetime | None]:
    async with storage.connection() as connection:
        return {row.id: row.last_used_at for row in await connection.execute(select(api_key))}


async def touch(storage: Database, **seconds_ago: float) -> None:
    async with storage.transaction() as stores:
        await stores.api_keys.touch({UUID(key): ago for key, ago in seconds_ago.items()})


def assert_ago(moment: datetime | None, seconds: float) -> None:
    assert moment is not None
    assert abs((datetime.now(UTC) - moment).total_seconds() - seconds) < 2


async def test_what_is_stored_comes_back_as_it_was(storage: Database) -> None:
    account = await add_user(storage)
    added = await add_key(storage, account.id)
    assert (added.scopes, added.user_id, added.client_id) == (frozenset("ab"), account.id, None)
    assert added.expires_at - added.created_at >= timedelta(days=1) - timedelta(seconds=1)
    async with storage.reading() as stores:
        found = await stores.api_keys.find(added.id.bytes * 2)
        assert await stores.api_keys.find(b"x" * 32) is None
    assert found is not None
    assert (found.key, found.is_live, found.client_scopes) == (added, True, None)
    assert found.account is not None
    assert (found.account.id, found.account.email, found.account.password_hash) == (account.id, account.email, None)
    assert found.account.created_at == account.created_at  # and not the key's


async def test_the_last_use_moves_forward_and_never_back(storage: Database) -> None:
    account = await add_user(storage)
    used, other = await add_key(storage, account.id), await add_key(storage, account.id)
    await touch(storage, **{str(used.id): 50.0})
    assert_ago((await last_uses(storage))[used.id], 50)
    assert (await last_uses(storage))[other.id] is None
    await touch(storage, **{str(used.id): 90.0, str(other.id): 0.00001})
    uses = await last_uses(storage)
    assert_ago(uses[used.id], 50)
    assert_ago(uses[other.id], 0)
    await touch(storage, **{str(used.id): 10.25})
    assert_ago((await last_uses(storage))[used.id], 10.25)
    await touch(storage)
    await touch(storage, **{str(new_id()): 1.0})  # one that was deleted meanwhile


async def test_many_last_uses_are_written_at_once(storage: Database) -> None:
    account = await add_user(storage)
    ids = [new_id() for _ in range(2100)]
    row = {"hint": "wwk_…abcd", "name": "x", "user_id": account.id, "scope": "", "created_at": datetime.now(UTC),
           "expires_at": datetime.now(UTC) + timedelta(days=1)}  # fmt: skip
    async with storage.connection(writes=True) as connection:
        await connection.execute(insert(api_key), [{"id": key, "digest": key.bytes * 2, **row} for key in ids])
    await touch(storage, **{str(key): 5.0 for key in ids})
    uses = await last_uses(storage)
    assert len(uses) == 2100
    assert None not in uses.values()


async def test_a_key_that_somebody_holds_is_left_to_the_next_time(postgresql_url: str) -> None:
    storage = Database(postgresql_url)
    account = await add_user(storage)
    held, free = await add_key(storage, account.id), await add_key(storage, account.id)
    async with storage.transaction() as stores:
        await stores.api_keys.revoke(held.id)
        async with asyncio.timeout(2):
            await touch(storage, **{str(held.id): 1.0, str(free.id): 1.0})
    uses = await last_uses(storage)
    assert uses[held.id] is None
    assert uses[free.id] is not None
    await storage.close()


async def test_a_page_is_of_one_owner_and_of_what_is_in_force(storage: Database) -> None:
    alice, bob = await add_user(storage), await add_user(storage, "b@example.com")
    keys = [await add_key(storage, alice.id) for _ in range(3)]
    await add_key(storage, alice.id, timedelta(seconds=-1))
    theirs = await add_key(storage, bob.id)
    async with storage.transaction() as stores:
        assert await stores.api_keys.revoke(theirs.id, owner=alice.id) is None
        assert await stores.api_keys.revoke(theirs.id, owner="first-party") is None
        revoked = await stores.api_keys.revoke(keys[1].id, owner=alice.id)
        assert revoked is not None
        assert await stores.api_keys.revoke(keys[1].id) is None
        assert [key.id for key in await stores.api_keys.page(alice.id, before=None, limit=9)] == [
            keys[2].id,
            keys[0].id,
        ]
        assert [key.id for key in await stores.api_keys.page(alice.id, before=keys[2].id, limit=9)] == [keys[0].id]
        assert [key.id for key in await stores.api_keys.page(alice.id, before=None, limit=1)] == [keys[2].id]
        assert (await stores.api_keys.count(alice.id), await stores.api_keys.count(bob.id)) == (2, 1)
        assert await stores.api_keys.page("nobody", before=None, limit=9) == []


async def test_all_keys_of_a_user_are_revoked_and_followers_are_told(storage: Database) -> None:
    alice, bob = await add_user(storage), await add_user(storage, "b@example.com")
    keys = [await add_key(storage, alice.id) for _ in range(3)]
    await add_key(storage, alice.id, timedelta(seconds=-1))
    kept = await add_key(storage, bob.id)
    told: list[Revocation] = []
    storage.on_revoked(told.extend)
    async with storage.transaction() as stores:
        revoked = await stores.api_keys.revoke_all(alice.id)
    assert {key.id for key in revoked} == {key.id for key in keys}
    assert set(told) == {Revocation(RevocationKind.API_KEY, str(key.id)) for key in keys}
    async with storage.transaction() as stores:
        assert {each.subject for _, each, _ in await stores.revocations.in_force(after_id=0, limit=9)} == {
            str(key.id) for key in keys
        }
        assert await stores.api_keys.revoke_all(alice.id) == []
        found = await stores.api_keys.find(kept.id.bytes * 2)
    assert found is not None
    assert found.is_live


async def test_a_revocation_that_is_rolled_back_revokes_nothing(storage: Database) -> None:
    key = await add_key(storage, (await add_user(storage)).id)

    async def fail() -> None:
        async with storage.transaction() as stores:
            await stores.api_keys.revoke(key.id)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with storage.reading() as stores:
        found = await stores.api_keys.find(key.id.bytes * 2)
        assert found is not None
        assert found.is_live
        assert await stores.revocations.in_force(after_id=0, limit=9) == []


async def test_a_deleted_user_leaves_no_key(storage: Database) -> None:
    account = await add_user(storage)
    key = await add_key(storage, account.id)
    async with storage.transaction() as stores:
        await stores.users.delete(account.id)
        assert await stores.api_keys.find(key.id.bytes * 2) is None


async def test_a_key_belongs_to_somebody(storage: Database) -> None:
    await add_key(storage, (await add_user(storage)).id)
    async with storage.connection() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(update(api_key).values(user_id=None))


async def test_a_key_is_pruned_a_month_after_its_end(storage: Database) -> None:
    account = await add_user(storage)
    alive = await add_key(storage, account.id)
    ended = await add_key(storage, account.id, timedelta(days=-29))
    await add_key(storage, account.id, timedelta(days=-31))
    revoked = await add_key(storage, account.id, timedelta(days=365))
    async with storage.transaction() as stores:
        await stores.api_keys.revoke(revoked.id)
    assert await Prune(storage, timedelta(days=30))() == Pruned(api_keys=1)
    assert set(await last_uses(storage)) == {alive.id, ended.id, revoked.id}
    async with storage.connection(writes=True) as connection:
        past = datetime.now(UTC) - timedelta(days=31)
        where = api_key.c.revoked_at.is_not(None) & (api_key.c.expires_at < datetime.now(UTC) + timedelta(minutes=1))
        await connection.execute(update(api_key).where(where).values(expires_at=past))
    assert (await Prune(storage, timedelta(days=30))()).api_keys == 1
    assert set(await last_uses(storage)) == {alive.id, ended.id}


@pytest.mark.parametrize("keep", [True, False])
async def test_a_restored_backup_ends_keys_unless_they_are_kept(storage: Database, keep: bool) -> None:
    account = await add_user(storage)
    key = await add_key(storage, account.id)
    await add_key(storage, account.id, timedelta(seconds=-1))
    assert (await EndEverything(storage)(keep_api_keys=keep)).api_keys == (0 if keep else 1)
    async with storage.reading() as stores:
        found = await stores.api_keys.find(key.id.bytes * 2)
    assert found is not None
    assert found.is_live is keep


# Writing down what was used


async def test_a_running_app_writes_uses_by_itself_and_once_more_at_the_end(storage: Database) -> None:
    account = await add_user(storage)
    first, last = await add_key(storage, account.id), await add_key(storage, account.id)
    uses = ApiKeyUses()
    uses.note(first.id)
    async with recording(RecordApiKeyUses(storage, uses), every=0.02):
        async with asyncio.timeout(5):
            while (await last_uses(storage))[first.id] is None:  # noqa: ASYNC110 — it is the database that changes
                await asyncio.sleep(0.02)
    async with recording(RecordApiKeyUses(storage, uses)):
        uses.note(last.id)
    assert_ago((await last_uses(storage))[last.id], 0)


async def test_uses_that_could_not_be_written_are_kept(storage: Database, caplog: pytest.LogCaptureFixture) -> None:
    account = await add_user(storage)
    early, late = await add_key(storage, account.id), await add_key(storage, account.id)
    now = 1000.0
    uses = ApiKeyUses(monotonic=lambda: now)
    uses.note(early.id)
    uses.note(late.id)
    await storage.close()
    nowhere = Database("sqlite+aiosqlite:////nonexistent/watchword.db")
    async with recording(RecordApiKeyUses(nowhere, uses), every=0.01):
        now += 30
        await asyncio.sleep(0.1)
        uses.note(late.id)
    assert "the last use of API keys was not written" in caplog.text
    with pytest.raises(StorageDown):
        await RecordApiKeyUses(nowhere, uses)()
    await nowhere.close()
    now += 30
    record = RecordApiKeyUses(storage, uses)
    assert (await record(), await record()) == (2, 0)
    written = await last_uses(storage)
    assert_ago(written[early.id], 60)
    assert_ago(written[late.id], 30)
