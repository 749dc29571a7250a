"""The session store on both databases: pruning, ending, and the decision about a token that rotated nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Table, func, select, update
from tests.storage.conftest import add_user

from watchword.crypto.ids import new_id
from watchword.crypto.refresh_tokens import RefreshToken, new_handle
from watchword.flows.end_everything import EndEverything
from watchword.flows.prune import Prune, Pruned, pruning
from watchword.model import Account, Device, Session
from watchword.storage import Database
from watchword.storage.events import add as add_event
from watchword.storage.sessions import (
    Lifetimes,
    NewSession,
    NotRotated,
    RefreshAttempt,
    Retried,
    Reused,
    Rotated,
    judge,
)
from watchword.storage.tables import revocation, session, user

pytestmark = pytest.mark.anyio
LIFETIMES = Lifetimes(timedelta(days=30), timedelta(days=90))


async def add_session(storage: Database, account: Account, lifetimes: Lifetimes = LIFETIMES) -> tuple[Session, bytes]:
    handle = new_handle()
    new = NewSession(new_id(), handle, "first-party", frozenset({"b", "a"}), ("pwd", "otp"), Device("agent", "::1"))
    async with storage.transaction() as stores:
        return await stores.sessions.add(new, account, lifetimes), handle


async def count(storage: Database, what: Table) -> int:
    async with storage.connection() as connection:
        number: int = (await connection.execute(select(func.count()).select_from(what))).scalar_one()
    return number


async def test_what_is_stored_comes_back_as_it_was(storage: Database) -> None:
    account = await add_user(storage)
    before = datetime.now(UTC) - timedelta(seconds=2)
    added, handle = await add_session(storage, account)
    async with storage.reading() as stores:
        found = await stores.sessions.find(handle)
    assert found == (added, 0)
    assert (added.scopes, added.amr, added.device) == (frozenset("ab"), ("pwd", "otp"), Device("agent", "::1"))
    assert before < added.created_at == added.last_used_at == added.auth_time < datetime.now(UTC) + timedelta(seconds=2)
    assert abs(added.ends_at - added.created_at - LIFETIMES.idle) < timedelta(seconds=1)


async def test_a_session_ends_at_the_nearer_of_its_two_ends(storage: Database) -> None:
    account = await add_user(storage)
    short, _ = await add_session(storage, account, Lifetimes(timedelta(days=9), timedelta(days=2)))
    assert abs(short.ends_at - short.created_at - timedelta(days=2)) < timedelta(seconds=1)


async def test_what_ended_is_pruned_and_nothing_else(storage: Database) -> None:
    account = await add_user(storage)
    alive, handle = await add_session(storage, account)
    just_ended, _ = await add_session(storage, account)
    long_ended, _ = await add_session(storage, account)
    await add_session(storage, account, Lifetimes(timedelta(minutes=-11), timedelta(minutes=-11)))
    async with storage.transaction() as stores:
        await stores.sessions.end([just_ended.id, long_ended.id])
        await stores.revocations.token("a jti", remaining=timedelta(hours=1))
    old = datetime.now(UTC) - timedelta(minutes=11)
    async with storage.connection(writes=True) as connection:
        await connection.execute(update(session).where(session.c.id == long_ended.id).values(revoked_at=old))
        expired = revocation.c.subject == str(long_ended.id)
        await connection.execute(update(revocation).where(expired).values(expires_at=old))
    prune = Prune(storage, timedelta(days=30))
    assert await prune() == Pruned(sessions=2, revocations=1)
    assert await prune() == Pruned()
    assert await count(storage, session) == 2
    assert await count(storage, revocation) == 2
    async with storage.reading() as stores:
        assert await stores.sessions.find(handle) == (alive, 0)


async def test_pruning_takes_more_than_one_batch(storage: Database) -> None:
    async with storage.transaction() as stores:
        await stores.revocations.sessions([new_id() for _ in range(2500)])
    async with storage.connection(writes=True) as connection:
        await connection.execute(update(revocation).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
    assert await Prune(storage, timedelta(days=30))() == Pruned(revocations=2500)


async def test_a_running_app_prunes_by_itself(storage: Database) -> None:
    import asyncio

    account = await add_user(storage)
    await add_session(storage, account, Lifetimes(timedelta(minutes=-11), timedelta(minutes=-11)))
    async with pruning(Prune(storage, timedelta(days=30)), every=0.02):
        for _ in range(200):
            if await count(storage, session) == 0:
                return
            await asyncio.sleep(0.02)
    pytest.fail("nothing was pruned")


async def test_pruning_goes_on_after_whatever_went_wrong(storage: Database, caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    tries = asyncio.Semaphore(0)

    async def fail() -> Pruned:
        tries.release()
        raise RuntimeError("a mistake")

    async with pruning(fail, every=0.01):  # type: ignore[arg-type]  # a fault
        for _ in range(3):
            await asyncio.wait_for(tries.acquire(), 5)
    assert "nothing was pruned" in caplog.text


async def test_a_revocation_of_a_token_outlasts_the_token_whatever_the_setting_is_now(storage: Database) -> None:
    async with storage.transaction() as stores:
        await stores.revocations.token("long", remaining=timedelta(hours=8))
        await stores.revocations.token("short", remaining=timedelta(minutes=1))
    async with storage.reading() as stores:
        seconds = {each.subject: left for _, each, left in await stores.revocations.in_force(after_id=0, limit=10)}
    assert 8 * 3600 + 590 < seconds["long"] <= 8 * 3600 + 600
    assert 25 * 60 - 10 < seconds["short"] <= 25 * 60


async def test_after_a_restored_backup_nothing_that_was_issued_is_good(storage: Database) -> None:
    accounts = [await add_user(storage, f"{name}@example.com") for name in "ab"]
    handles = [(await add_session(storage, account))[1] for account in accounts]
    ended = await EndEverything(storage)()
    assert (ended.sessions, ended.users) == (2, 2)
    async with storage.reading() as stores:
        for account, handle in zip(accounts, handles, strict=True):
            assert await stores.sessions.find(handle) is None
            now = await stores.users.get(account.id)
            assert now is not None
            assert now.token_epoch > account.token_epoch + 1000  # more than the lost commits can have raised it


async def test_a_session_of_a_disabled_user_or_an_older_epoch_is_not_in_force(storage: Database) -> None:
    account = await add_user(storage)
    _, handle = await add_session(storage, account)
    for change in ({"is_active": False}, {"is_active": True, "token_epoch": 1}):
        async with storage.connection(writes=True) as connection:
            await connection.execute(update(user).values(change))
        async with storage.transaction() as stores:
            assert await stores.sessions.find(handle) is None
            assert await stores.sessions.page(account.id, before=None, limit=10) == []
            outcome = await stores.sessions.rotate(
                RefreshAttempt(RefreshToken(handle, 0), "first-party", Device(), LIFETIMES.idle, timedelta(seconds=30))
            )
        assert isinstance(outcome, NotRotated)


async def test_events_are_deleted_when_they_are_old(storage: Database) -> None:
    from watchword.model import StoredEvent

    now = datetime.now(UTC)
    for age in (29, 31, 400):
        happened = StoredEvent(new_id(), "logged_in", now - timedelta(days=age), None, None, {})
        await storage.send(add_event(happened))
    assert (await Prune(storage, timedelta(days=30))()).events == 2
    async with storage.reading() as stores:
        [kept] = await stores.events.page(user_id=None, before=None, limit=10)
    assert now - kept.at == timedelta(days=29)


SOMEBODY = Session(
    id=UUID(int=1), user_id=UUID(int=2), client_id="c", scopes=frozenset(), amr=("pwd",),
    auth_time=datetime.now(UTC), epoch=0, device=Device(), created_at=datetime.now(UTC),
    last_used_at=datetime.now(UTC), ends_at=datetime.now(UTC),
)  # fmt: skip


@given(st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_only_the_immediate_predecessor_is_a_retry_and_only_what_was_traded_is_a_reuse(
    presented: int, stands_at: int, is_recent: bool
) -> None:
    outcome = judge(SOMEBODY, presented, frozenset(), stands_at=stands_at, is_recent=is_recent)
    assert not isinstance(outcome, Rotated)
    if isinstance(outcome, Retried):
        assert is_recent
        assert outcome.generation == presented + 1 == stands_at
    if isinstance(outcome, Reused):
        assert presented < stands_at
        assert not is_recent or stands_at - presented > 2
    if not is_recent and presented < stands_at:
        assert isinstance(outcome, Reused)
