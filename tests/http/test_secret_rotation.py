"""WATCHWORD_SECRET is replaced step by step, as docs/production.md says, while apps run: nobody is logged out."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import select, update
from tests.cli.processes import run
from tests.conftest import CHEAP_HASH, EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.clients import call
from tests.inbox import Inbox
from tests.second_factors import Clock, Phone, bearer, enrol
from typing_extensions import override

from watchword import ConfigurationError, Watchword
from watchword.crypto.sealing import Sealer
from watchword.flows import reseal
from watchword.flows.reseal import Reseal
from watchword.identity.secret_file import secrets_in_force
from watchword.mail import Mail, MailNotSent
from watchword.storage.sealed import SealedColumn, SealedValue
from watchword.storage.tables import totp

OLD, NEW = "the-old-secret-0123456789-abcdefghijkl", "the-new-secret-0123456789-abcdefghijkl"
BOB = "bob@example.com"


class Closed(Inbox):
    """A mail server that is down."""

    @override
    async def send(self, _mail: Mail) -> None:
        raise MailNotSent("down")


@pytest.fixture
def url(empty_database_url: str) -> str:
    """Nothing in it is sealed yet."""
    return empty_database_url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Instance(Client):
    """A running app, with its own list of secrets."""

    def __init__(self, url: str, secret: str, clock: Clock, inbox: Inbox) -> None:
        settings = make_settings(url, secret=secret, refresh_leeway="0")
        self.watchword: Watchword[Any] = Watchword(settings, scopes=SCOPES, mailer=inbox)
        self.clock = clock
        super().__init__(make_app(self.watchword))

    @override
    def __enter__(self) -> Self:
        super().__enter__()
        self.clock.govern(self.watchword)
        return self

    def refresh(self, tokens: dict[str, str]) -> dict[str, str]:
        answer = self.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 200, answer.text
        refreshed: dict[str, str] = answer.json()
        return refreshed

    def knows(self, tokens: dict[str, str]) -> bool:
        return self.get("/mine", headers=bearer(tokens["access_token"])).status_code == 200


def secrets(directory: Path, command: str, url: str, secret: str) -> tuple[int, Any]:
    """A command on the same database, whatever runs."""
    settings = {"WATCHWORD_SECRET": secret, "WATCHWORD_PASSWORD_COST": CHEAP_HASH, "WATCHWORD_DATABASE_URL": url}
    outcome = run(directory, "secrets", command, "--json", **settings)
    assert (outcome.returncode != 0) == ("watchword secrets" in outcome.stderr), "a failure says what to do"
    return outcome.returncode, json.loads(outcome.stdout)


def test_a_secret_is_replaced_while_apps_run_and_nobody_is_logged_out(
    url: str, clock: Clock, tmp_path: Path, stack: ExitStack
) -> None:
    running = stack.enter_context(Instance(url, OLD, clock, Closed()))
    running.sign_up()
    running.sign_up(BOB)
    phone, codes = enrol(running, clock, running.log_in())
    tokens = running.ask_token(otp=codes[0]).json()
    idle = running.ask_token(otp=codes[1]).json()
    bob = running.log_in(BOB)
    waiting = running.post("/auth/2fa/setup", json={"password": PASSWORD}, headers=bob).json()["secret"]
    running.post("/auth/password/forgot", json={"email": EMAIL})

    def replace_by(secret: str, inbox: Inbox) -> Instance:
        """Start an app with another list beside the one that runs, ask both in turn, and stop the first."""
        nonlocal tokens
        other = stack.enter_context(Instance(url, secret, clock, inbox))
        for instance in (running, other, running, other):
            assert instance.knows(tokens)
            tokens = instance.refresh(tokens)
            assert instance.ask_token(otp=phone.next_code()).status_code == 200
        running.__exit__(None, None, None)
        return other

    running = replace_by(f"{OLD} {NEW}", Closed())
    running = replace_by(f"{NEW} {OLD}", Closed())

    with pytest.raises(ConfigurationError, match="append the former secret"), Instance(url, NEW, clock, Closed()):
        pytest.fail("it started without a secret in use")
    status, told = secrets(tmp_path, "check", url, f"{NEW} {OLD}")
    assert status == 1
    assert {(row["what"], row["secret"], row["rows"]) for row in told} == {
        ("signing_key.private_sealed", 2, 2),
        ("totp.secret_sealed", 2, 1),
        ("totp.pending_sealed", 2, 1),
        ("outbox.payload_sealed", 2, 1),
    }
    assert secrets(tmp_path, "reseal", url, f"{NEW} {OLD}") == (0, {"resealed": 5, "unopened": 0, "left": 0})
    assert secrets(tmp_path, "reseal", url, f"{NEW} {OLD}") == (0, {"resealed": 0, "unopened": 0, "left": 0})
    status, told = secrets(tmp_path, "check", url, NEW)
    assert (status, {row["secret"] for row in told}) == (0, {1})

    inbox = Inbox()
    running = replace_by(NEW, inbox)
    call(running, running.watchword.outbox.retry, None)
    call(running, _make_due, running.watchword)
    assert [mail.to for mail in inbox.take(running, running.watchword)] == [EMAIL], "what was sealed before is sent"
    confirmed = running.post("/auth/2fa/confirm", json={"code": Phone(waiting, clock).code()}, headers=bob)
    assert confirmed.status_code == 200, "an enrolment goes on"
    refused = running.post("/auth/refresh", json={"refresh_token": idle["refresh_token"]})
    assert refused.status_code == 400, "a session that was not refreshed since: hence the wait before the last step"


async def _make_due(auth: Watchword[Any]) -> None:
    for entry in await auth.outbox.page():
        await auth.outbox.retry(entry.id)
    auth.use_cases.sign_up.outbox.wake()


def sealer(*in_order: str) -> Sealer:
    return Sealer.from_secrets(secrets_in_force(make_settings("sqlite+aiosqlite://", secret=" ".join(in_order))))


@pytest.fixture
def sealed_long_ago(url: str, clock: Clock, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """An app with five users who have a factor, sealed under the old secret; batches are of two."""
    monkeypatch.setattr(reseal, "_AT_ONCE", 2)
    running = stack.enter_context(Instance(url, f"{OLD} {NEW}", clock, Closed()))
    for number in range(5):
        running.sign_up(f"user{number}@example.com")
        enrol(running, clock, running.log_in(f"user{number}@example.com"))
    return running


async def resealed(flow: Reseal, *, batches: int | None = None) -> tuple[int, int]:
    """How many values were sealed anew, and how many do not open; cut short after some batches."""
    done = unopened = 0
    async for number, batch in _enumerated(flow):
        done, unopened = done + batch.resealed, unopened + batch.unopened
        if number == batches:
            break
    return done, unopened


async def _enumerated(flow: Reseal) -> Any:
    number = 0
    async for batch in flow():
        number += 1
        yield number, batch


def test_what_was_cut_short_goes_on_and_what_does_not_open_is_left(sealed_long_ago: Instance) -> None:
    storage = sealed_long_ago.watchword.open_session.storage
    flow = Reseal(storage, sealer(NEW, OLD))

    async def break_one() -> None:
        async with storage.connection(writes=True) as connection:
            row = (await connection.execute(select(totp).limit(1))).one()
            broken = row.secret_sealed[:-1] + bytes([row.secret_sealed[-1] ^ 1])
            await connection.execute(update(totp).where(totp.c.user_id == row.user_id).values(secret_sealed=broken))

    call(sealed_long_ago, break_one)
    assert call(sealed_long_ago, resealed, flow, batches=2) == (2 + 1, 1)
    assert call(sealed_long_ago, resealed, flow) == (3, 1)
    counted = call(sealed_long_ago, flow.count)
    assert counted[SealedColumn.TOTP] == dict(zip(flow.sealer.key_ids, (4, 1), strict=True))
    assert counted[SealedColumn.SIGNING_KEY] == {flow.sealer.key_ids[0]: 2}


def test_a_factor_that_is_replaced_meanwhile_is_not_overwritten(sealed_long_ago: Instance) -> None:
    storage = sealed_long_ago.watchword.open_session.storage
    flow = Reseal(storage, sealer(NEW, OLD))

    async def replaced_between() -> bytes:
        """What is there after somebody set up another factor between the look at a row and its new seal."""
        async with storage.connection() as connection:
            row = (await connection.execute(select(totp).limit(1))).one()
        looked_at = SealedValue(row.user_id, row.secret_sealed)
        async with storage.connection(writes=True) as connection:
            await connection.execute(update(totp).where(totp.c.user_id == row.user_id).values(secret_sealed=b"another"))
        async with storage.transaction() as stores:
            assert not await stores.sealed.replace(SealedColumn.TOTP, looked_at, b"sealed anew")
        async with storage.connection() as connection:
            found = select(totp.c.secret_sealed).where(totp.c.user_id == row.user_id)
            stored: bytes = (await connection.execute(found)).scalar_one()
            return stored

    assert call(sealed_long_ago, replaced_between) == b"another"
    assert call(sealed_long_ago, resealed, flow) == (4 + 2, 1)
