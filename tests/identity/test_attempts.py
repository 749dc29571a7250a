"""Failures are counted for each account, on both databases; whoever guesses waits, longer each time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from watchword.crypto.ids import new_id
from watchword.errors import StorageDown, TooManyAttempts
from watchword.events import Events, LockedOut
from watchword.flows.prune import Prune, Pruned
from watchword.identity.attempts import Attempts
from watchword.model import AttemptKind, AttemptPolicy, Device
from watchword.storage import Database
from watchword.storage.tables import attempt

pytestmark = pytest.mark.anyio

ALICE, BOB = "alice@example.com", "bob@example.com"
POLICY = AttemptPolicy(limit=3, longest=timedelta(minutes=15))


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def locked_out() -> list[LockedOut]:
    return []


@pytest.fixture
def attempts(storage: Database, locked_out: list[LockedOut]) -> Attempts:
    return make(storage, locked_out)


def make(storage: Database, locked_out: list[LockedOut], key: bytes = b"k" * 32) -> Attempts:
    events = Events()
    events.on(LockedOut, locked_out.append)
    return Attempts(storage, key, dict.fromkeys(AttemptKind, POLICY), events)


async def is_admitted(attempts: Attempts, subject: str = ALICE, kind: AttemptKind = AttemptKind.PASSWORD) -> bool:
    try:
        await attempts.admit(kind, subject)
    except TooManyAttempts:
        return False
    return True


async def fail(attempts: Attempts, times: int, subject: str = ALICE) -> None:
    for _ in range(times):
        await attempts.failed(AttemptKind.PASSWORD, subject)


async def let_pass(storage: Database, **duration: float) -> None:
    """The clock is the database's: what is stored moves into the past."""
    async with storage.connection(writes=True) as connection:
        for row in (await connection.execute(select(attempt))).all():
            moved = {
                name: moment - timedelta(**duration)
                for name in ("last_failed_at", "blocked_until")
                if (moment := row._mapping[name]) is not None
            }
            await connection.execute(update(attempt).where(attempt.c.key == row.key).values(moved))


async def rows(storage: Database) -> Sequence[Any]:
    async with storage.connection() as connection:
        return (await connection.execute(select(attempt))).all()


async def test_some_failures_are_free_and_then_nothing_is_heard(attempts: Attempts) -> None:
    await fail(attempts, 2)
    assert await is_admitted(attempts)
    await fail(attempts, 1)
    assert not await is_admitted(attempts)
    with pytest.raises(TooManyAttempts) as refusal:
        await attempts.admit(AttemptKind.PASSWORD, ALICE)
    assert 25 < refusal.value.retry_after <= 30


async def test_accounts_and_kinds_of_secrets_are_counted_apart(attempts: Attempts) -> None:
    await fail(attempts, 3)
    assert await is_admitted(attempts, BOB)
    assert await is_admitted(attempts, kind=AttemptKind.TOTP)


async def test_each_wait_is_twice_as_long_up_to_the_longest(attempts: Attempts, storage: Database) -> None:
    await fail(attempts, 2)
    waits = []
    for _ in range(8):
        await fail(attempts, 1)
        with pytest.raises(TooManyAttempts) as refusal:
            await attempts.admit(AttemptKind.PASSWORD, ALICE)
        waits.append(round(refusal.value.retry_after / 30))
        await let_pass(storage, seconds=refusal.value.retry_after)
        assert await is_admitted(attempts)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize("longest", [timedelta(seconds=30), timedelta(seconds=45), timedelta(days=1)])
def test_the_steps_are_those_of_the_wait(longest: timedelta) -> None:
    policy = AttemptPolicy(5, longest)
    steps = dict(policy.waits())
    assert [policy.wait(n) for n in range(5)] == [timedelta(0)] * 5
    assert policy.wait(10**9) == policy.wait(max(steps)) == longest
    assert all(policy.wait(failures) == wait for failures, wait in steps.items())
    assert len(steps) == len(set(steps.values()))


async def test_trying_on_makes_it_no_longer(attempts: Attempts, storage: Database) -> None:
    await fail(attempts, 3)
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            await fail(attempts, 1)
    await let_pass(storage, seconds=31)
    assert await is_admitted(attempts)
    await fail(attempts, 1)
    with pytest.raises(TooManyAttempts) as refusal:
        await attempts.admit(AttemptKind.PASSWORD, ALICE)
    assert 55 < refusal.value.retry_after <= 60


async def test_a_success_forgets_the_failures(attempts: Attempts, storage: Database) -> None:
    await fail(attempts, 2)
    await attempts.succeeded(AttemptKind.PASSWORD, ALICE)
    assert await rows(storage) == []
    await attempts.succeeded(AttemptKind.PASSWORD, ALICE)
    await fail(attempts, 2)
    assert await is_admitted(attempts)


async def test_a_right_guess_is_refused_too_once_there_were_too_many(attempts: Attempts) -> None:
    await attempts.admit(AttemptKind.PASSWORD, ALICE)
    await fail(attempts, 3)
    with pytest.raises(TooManyAttempts):
        await attempts.succeeded(AttemptKind.PASSWORD, ALICE)
    assert not await is_admitted(attempts)


async def test_failures_of_yesterday_are_forgotten(attempts: Attempts, storage: Database) -> None:
    await fail(attempts, 2)
    await let_pass(storage, hours=25)
    await fail(attempts, 2)
    assert await is_admitted(attempts)
    await fail(attempts, 1, BOB)
    await let_pass(storage, hours=25)
    await fail(attempts, 1)
    assert await Prune(storage, timedelta(days=30))() == Pruned(attempts=1)
    assert len(await rows(storage)) == 1


async def test_of_fifty_failures_at_once_none_is_lost_and_no_more_than_the_free_ones_are_heard(
    attempts: Attempts, storage: Database, locked_out: list[LockedOut]
) -> None:
    other = Database(storage.url.render_as_string(hide_password=False))
    both = [attempts, make(other, locked_out)]
    outcomes = await asyncio.gather(
        *(both[n % 2].failed(AttemptKind.PASSWORD, ALICE) for n in range(50)), return_exceptions=True
    )
    await other.close()
    assert [outcome for outcome in outcomes if outcome is None] == [None] * 3
    assert sum(isinstance(outcome, TooManyAttempts) for outcome in outcomes) == 47
    (row,) = await rows(storage)
    assert (row.failures, row.refused) == (3, 47)
    assert len(locked_out) == 1


async def test_a_lock_is_told_once_with_whose_account_it_is(
    attempts: Attempts, storage: Database, locked_out: list[LockedOut]
) -> None:
    user_id, device = new_id(), Device("a browser", "192.0.2.1")
    for _ in range(4):
        await attempts.failed(AttemptKind.TOTP, str(user_id), user_id=user_id, device=device)
        await let_pass(storage, minutes=2)
    (told,) = locked_out
    assert (told.kind, told.user_id, told.device) == ("totp", user_id, device)


async def test_the_table_does_not_tell_the_addresses(attempts: Attempts, storage: Database) -> None:
    await fail(attempts, 1)
    (row,) = await rows(storage)
    assert ALICE not in str(row)
    await make(storage, [], b"another key" * 3).failed(AttemptKind.PASSWORD, ALICE)
    assert len(await rows(storage)) == 2
    assert "kkkk" not in repr(attempts)


async def test_without_a_database_nobody_is_let_in() -> None:
    nowhere = make(Database("sqlite+aiosqlite:////nonexistent/watchword.db"), [])
    asks: list[Callable[..., Awaitable[None]]] = [nowhere.admit, nowhere.failed, nowhere.succeeded]
    for ask in asks:
        with pytest.raises(StorageDown):
            await ask(AttemptKind.PASSWORD, ALICE)
    await nowhere._storage.close()
    await asyncio.sleep(0.1)  # aiosqlite's threads tell their end to this event loop


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::5", "2001:db8::"),
        ("2001:db8:0:0:9999::1", "2001:db8::"),
        ("2001:db8:0:1::5", "2001:db8:0:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
        (None, None),
    ],
)
def test_a_network_is_an_address_or_the_first_half_of_one(address: str | None, network: str | None) -> None:
    assert Device(None, address).network == network
