"""The outbox: what was committed is sent, by one of several processes, until it is of no use any more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from tests.conftest import SECRET, make_settings

from watchword import NotFound, Watchword
from watchword.crypto.sealing import Sealer
from watchword.errors import StorageDown
from watchword.events import Event, Events, MailDelayed, MailFailed, MailSent
from watchword.flows.manage_outbox import ManageOutbox
from watchword.flows.prune import Prune
from watchword.flows.send_mail import SendMail, sending
from watchword.identity.outbox import Outbox
from watchword.mail import Letter, Mail, MailNotSent
from watchword.mail.templates import Templates
from watchword.storage import Database
from watchword.storage.clock import now
from watchword.storage.tables import outbox as table

pytestmark = pytest.mark.anyio

LETTER = Letter("reset_password", "alice@example.com", {"link": "https://x/#token=wwo_live", "lifetime": "a day"})


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@dataclass
class Post:
    """A process that writes and sends."""

    storage: Database
    secret: str = SECRET
    fails: Exception | None = None
    sent: list[Mail] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.has_sent = asyncio.Event()
        self.outbox = Outbox(Sealer.from_secrets([self.secret.encode()]))
        events = Events()
        events.on(Event, self.events.append)
        self.send_due = SendMail(self.storage, self.outbox, Templates(None, "s@example.com", "x"), self, events)

    async def send(self, mail: Mail) -> None:
        await asyncio.sleep(0)
        if self.fails is not None:
            raise self.fails
        self.sent.append(mail)
        self.has_sent.set()

    async def put(self, letter: Letter = LETTER, **lifetime: Any) -> None:
        async with self.storage.transaction() as stores:
            await self.outbox.put(stores, letter, **lifetime)

    async def entries(self) -> list[Any]:
        return list(await ManageOutbox(self.storage).page())


async def move(storage: Database, **by: float) -> None:
    """Let time pass for all that waits."""
    shift = timedelta(**by)
    async with storage.connection(writes=True) as connection:
        for row in (await connection.execute(select(table))).all():
            moments = {name: getattr(row, name) for name in ("next_attempt_at", "expires_at")}
            values = {name: moment - shift for name, moment in moments.items() if moment is not None}
            await connection.execute(update(table).where(table.c.id == row.id).values(values))


async def test_a_mail_is_in_the_transaction_that_causes_it(storage: Database) -> None:
    post = Post(storage)
    with pytest.raises(StorageDown):
        async with storage.transaction() as stores:
            await post.outbox.put(stores, LETTER)
            raise StorageDown
    assert await post.send_due() == 0
    await post.put()
    assert await post.send_due() == 1
    assert [mail.to for mail in post.sent] == ["alice@example.com"]
    assert await post.send_due() == 0
    assert await post.entries() == []
    assert [type(event) for event in post.events] == [MailSent]


async def test_what_is_stored_is_sealed_and_bound_to_its_row(storage: Database) -> None:
    post = Post(storage)
    await post.put()
    await post.put()
    async with storage.connection(writes=True) as connection:
        rows = (await connection.execute(select(table))).all()
        assert b"wwo_live" not in rows[0].payload_sealed
        assert b"alice" not in rows[0].payload_sealed
        moved = update(table).where(table.c.id == rows[0].id).values(payload_sealed=rows[1].payload_sealed)
        await connection.execute(moved)
    await post.send_due()
    assert len(post.sent) == 1
    assert {type(event) for event in post.events} == {MailSent, MailFailed}


async def test_of_several_processes_each_mail_is_sent_by_one(storage: Database, database_url: str) -> None:
    writer = Post(storage)
    for _ in range(40):
        await writer.put()
    others = [Database(database_url) for _ in range(4)]
    posts = [Post(other) for other in others]

    async def work(post: Post) -> None:
        while await post.send_due():
            pass

    await asyncio.gather(*(work(post) for post in posts))
    for other in others:
        await other.close()
    assert sum(len(post.sent) for post in posts) == 40
    assert await writer.entries() == []


async def test_a_mail_whose_process_died_is_sent_by_another(storage: Database) -> None:
    """Dead after the claim: it may have sent it, so that it is sent twice; it is never lost."""
    post = Post(storage)
    await post.put()
    async with storage.transaction() as stores:
        assert len(await stores.outbox.claim(lease=timedelta(seconds=30), limit=10)) == 1
    assert await post.send_due() == 0, "somebody may be sending it"
    await move(storage, seconds=31)
    assert await post.send_due() == 1
    assert len(post.sent) == 1


async def test_what_fails_is_tried_again_later_and_later(storage: Database) -> None:
    post = Post(storage, fails=MailNotSent("the server is down"))
    await post.put(lifetime=timedelta(days=1))
    waits = []
    for _ in range(9):
        assert await post.send_due() == 1
        assert await post.send_due() == 0
        async with storage.connection() as connection:
            due, moment = (await connection.execute(select(table.c.next_attempt_at, now()))).one()
        waits.append(round((due - moment).total_seconds(), -1))
        await move(storage, seconds=waits[-1] + 5)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    (entry,) = await post.entries()
    assert (entry.attempts, entry.last_error) == (9, "the server is down")
    post.fails = None
    assert await post.send_due() == 1
    assert len(post.sent) == 1
    assert [type(event) for event in post.events] == [MailDelayed] * 9 + [MailSent]


async def test_what_is_of_no_use_any_more_is_given_up_told_and_tried_again_if_an_operator_wants(
    storage: Database,
) -> None:
    post = Post(storage, fails=MailNotSent("the server is down"))
    await post.put(lifetime=timedelta(minutes=10))
    await post.send_due()
    post.fails = None
    await move(storage, minutes=11)
    assert await post.send_due() == 1
    assert post.sent == []
    (failed,) = [event for event in post.events if isinstance(event, MailFailed)]
    assert (failed.kind, failed.attempts, failed.reason) == ("reset_password", 1, "the server is down")
    (entry,) = await post.entries()
    assert entry.next_attempt_at is None
    assert await post.send_due() == 0
    assert await ManageOutbox(storage).retry() == 1
    assert await post.send_due() == 1
    assert len(post.sent) == 1
    with pytest.raises(NotFound):
        await ManageOutbox(storage).retry(UUID(int=7))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MailNotSent("no such recipient", is_final=True), "no such recipient"),
        (RuntimeError("a mail with wwo_live in it"), "RuntimeError"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_of_a_mailers_own_errors_the_name_alone_is_told(storage: Database, error: Exception, told: str) -> None:
    post = Post(storage, fails=error)
    await post.put()
    await post.send_due()
    (entry,) = await post.entries()
    assert entry.last_error == told
    assert (entry.next_attempt_at is None) == isinstance(error, MailNotSent)
    assert "wwo_live" not in repr(post.events) + repr(LETTER)


async def test_a_mail_sealed_under_a_secret_that_is_gone_is_told(storage: Database) -> None:
    await Post(storage, secret=SECRET + "-former").put()
    post = Post(storage)
    await post.send_due()
    (entry,) = await post.entries()
    assert entry.last_error == "it was sealed under a secret that is not in WATCHWORD_SECRET"


async def test_a_letter_to_nobody_goes_nowhere(storage: Database) -> None:
    post = Post(storage)
    await post.put(Letter("reset_password", None, LETTER.values))
    assert await post.send_due() == 1
    assert (post.sent, post.events, await post.entries()) == ([], [], [])


async def test_what_was_given_up_is_deleted_after_a_week(storage: Database) -> None:
    post = Post(storage, fails=MailNotSent("no", is_final=True))
    await post.put(lifetime=timedelta(minutes=10))
    await post.send_due()
    await move(storage, days=6)
    prune = Prune(storage, timedelta(days=30))
    assert (await prune()).outbox == 0
    await move(storage, days=2)
    assert (await prune()).outbox == 1


async def test_what_is_being_sent_at_the_end_is_sent_once(storage: Database) -> None:
    post, begun = Post(storage), asyncio.Event()

    class Slow:
        async def send(self, mail: Mail) -> None:
            begun.set()
            await asyncio.sleep(0.05)
            post.sent.append(mail)

    await post.put()
    async with sending(replace(post.send_due, mailer=Slow())):
        await begun.wait()
    assert len(post.sent) == 1
    assert await post.entries() == []


async def test_a_sender_goes_on_when_the_database_was_away(
    storage: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post(storage)
    reading, tries = Database.reading, 0

    def down_once(self: Database) -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise StorageDown("away")
        return reading(self)

    monkeypatch.setattr(Database, "reading", down_once)
    async with sending(post.send_due, every=0.01):
        await post.put()
        async with asyncio.timeout(10):
            await post.has_sent.wait()
    assert "no mail was sent: away" in caplog.text


async def test_a_watchword_that_no_app_has_installed_sends_nothing(
    database_url: str, start: Callable[..., Any]
) -> None:
    """A command writes the row; the app, whose mailer it may not know, sends it."""
    mailer = Post(Database(database_url))
    auth: Watchword[Any] = Watchword(make_settings(database_url), mailer=mailer)
    async with auth.lifespan(FastAPI()):
        await auth.use_cases.request_password_reset.by_email("nobody@example.com")
        await asyncio.sleep(0.05)
        assert len(await auth.outbox.page()) == 1
    await mailer.storage.close()
