"""The feed decides what may be believed: nothing that was revoked, nothing from before an interruption, nothing old."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import StorageDown
from watchword.feed import Feed
from watchword.model import Revocation, RevocationKind

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class ByHand:
    """Signals that a test sends; a connection that a test breaks."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[Sequence[Revocation] | Exception] = asyncio.Queue()
        self.heard = asyncio.Event()
        self.opened = 0
        self.is_down = False
        self.hangs = False

    @asynccontextmanager
    async def reader(self) -> AsyncIterator["ByHand"]:
        if self.is_down:
            raise StorageDown("it is down")
        self.opened += 1
        yield self

    async def wait(self, seconds: float) -> None:
        async with asyncio.timeout(seconds * 1000):  # only what is sent, in these tests
            await self.heard.wait()
        self.heard.clear()

    def send(self, news: Sequence[Revocation] | Exception) -> None:
        self.waiting.put_nowait(news)
        self.heard.set()

    async def read(self) -> Sequence[Revocation]:
        if self.hangs:
            await asyncio.sleep(60)
        if self.waiting.empty():
            return ()
        news = self.waiting.get_nowait()
        if isinstance(news, Exception):
            raise news
        return news


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signals() -> ByHand:
    return ByHand()


@pytest.fixture
def feed(signals: ByHand, clock: Clock) -> Feed:
    return Feed(signals, staleness=1.0, forget_after=100.0, monotonic=clock)


ALICE = Revocation(RevocationKind.USER, "alice", 1)
BOB = Revocation(RevocationKind.USER, "bob", 1)


async def until(what: str, holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        await asyncio.sleep(0.001)
    pytest.fail(f"never: {what}")


async def test_nothing_is_believed_before_the_first_read(feed: Feed) -> None:
    assert not feed.is_fresh
    assert not feed.holds([ALICE.key], since=feed.position)


async def test_a_revocation_touches_what_was_learned_before_it_and_nothing_else(feed: Feed) -> None:
    async with feed.following():
        before = feed.position
        feed.apply([ALICE])
        after = feed.position
        assert not feed.holds([ALICE.key, "session:1"], since=before)
        assert feed.holds([BOB.key], since=before)
        assert feed.holds([ALICE.key], since=after)


async def test_what_others_revoke_arrives(feed: Feed, signals: ByHand) -> None:
    async with feed.following():
        since = feed.position
        signals.send([ALICE])
        await until("it arrived", lambda: not feed.holds([ALICE.key], since=since))
        assert feed.holds([BOB.key], since=since)


async def test_beyond_the_staleness_bound_nothing_is_believed(feed: Feed, clock: Clock, signals: ByHand) -> None:
    async with feed.following():
        since = feed.position
        clock.now += 1.0
        assert feed.holds([ALICE.key], since=since)
        clock.now += 0.001
        assert not feed.holds([ALICE.key], since=since)
        signals.send([])
        await until("it was read again", lambda: feed.holds([ALICE.key], since=since))


async def test_the_age_counts_from_the_start_of_a_read(feed: Feed, clock: Clock, signals: ByHand) -> None:
    read = signals.read

    async def slow() -> Sequence[Revocation]:
        news = await read()
        clock.now += 5.0
        return news

    async with feed.following():
        signals.read = slow  # type: ignore[method-assign]  # a fault
        signals.send([])
        await until("the slow read ended", lambda: clock.now >= 1005.0)
        await asyncio.sleep(0.01)
        assert not feed.is_fresh


@pytest.mark.parametrize("fault", [StorageDown("gone"), OSError("reset"), RuntimeError("a mistake of ours")],
                         ids=["down", "reset", "bug"])  # fmt: skip
async def test_after_an_interruption_everything_is_asked_anew_and_the_feed_comes_back(
    feed: Feed, signals: ByHand, fault: Exception
) -> None:
    async with feed.following():
        since = feed.position
        signals.is_down = True
        signals.send(fault)
        await until("it was interrupted", lambda: not feed.holds([ALICE.key], since=since))
        signals.is_down = False
        await until("it reconnected", lambda: signals.opened == 2)
        signals.send([])
        assert not feed.holds([ALICE.key], since=since)
        await until("it is fresh", lambda: feed.holds([ALICE.key], since=feed.position))


async def test_a_connection_that_is_dead_without_a_word_is_given_up(feed: Feed, signals: ByHand) -> None:
    async with feed.following():
        since = feed.position
        signals.hangs = True
        signals.send([])
        await asyncio.sleep(1.1)
        await until("it was given up", lambda: not feed.holds([ALICE.key], since=since))
        signals.hangs = False
        await until("it reconnected", lambda: signals.opened == 2)


async def test_a_start_without_a_database_is_refused(feed: Feed, signals: ByHand) -> None:
    signals.is_down = True
    with pytest.raises(StorageDown):
        async with feed.following():
            pytest.fail("it started")


async def test_who_waits_is_woken_by_what_touches_it_and_by_interruptions(feed: Feed, signals: ByHand) -> None:
    async with feed.following(), feed.waiting([ALICE.key]) as alice, feed.waiting([BOB.key]) as bob:
        feed.apply([ALICE])
        assert alice.is_set()
        assert not bob.is_set()
        signals.send(StorageDown("gone"))
        await asyncio.wait_for(bob.wait(), 2)
    assert feed._waiting == {}


async def test_old_revocations_are_forgotten_with_all_that_was_learned_before_them(feed: Feed, clock: Clock) -> None:
    async with feed.following():
        since = feed.position
        feed.apply([ALICE])
        clock.now += 100.5
        feed.apply([BOB])
        feed._read_at = clock.now
        assert ALICE.key not in feed._arrived
        assert not feed.holds([ALICE.key], since=since)
        assert not feed.holds(["session:another"], since=since)
        assert feed.holds([ALICE.key], since=feed.position)


async def test_everything_means_everything(feed: Feed) -> None:
    async with feed.following():
        since = feed.position
        feed.apply([Revocation(RevocationKind.EVERYTHING, "")])
        assert not feed.holds(["session:1"], since=since)
        assert feed.holds(["session:1"], since=feed.position)


@given(st.lists(st.tuples(st.sampled_from(["learn", "revoke"]), st.sampled_from("abc")), max_size=60))
def test_what_is_believed_was_learned_after_its_last_revocation(steps: list[tuple[str, str]]) -> None:
    clock = Clock()
    feed = Feed(ByHand(), staleness=1e9, forget_after=20.0, monotonic=clock)
    feed._read_at = clock.now
    learned: dict[str, tuple[int, int]] = {}
    last_revoked: dict[str, int] = {}
    for number, (what, subject) in enumerate(steps):
        clock.now += 1.0
        if what == "learn":
            learned[subject] = (number, feed.position)
        else:
            feed.apply([Revocation(RevocationKind.USER, subject)])
            last_revoked[subject] = number
        for name, (when, position) in learned.items():
            revoked_since = last_revoked.get(name, -1) > when
            assert not (revoked_since and feed.holds([f"user:{name}"], since=position))
            if not revoked_since and not last_revoked:
                assert feed.holds([f"user:{name}"], since=position)
