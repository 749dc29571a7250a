"""Guessing at an account: who guesses has to wait, its owner does not, and nobody learns whether there is one.

ASVS 6.1.1, 6.3.1, 6.3.8; the controls are documented in docs/abuse.md.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select, update
from starlette.testclient import TestClient
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.addresses import FROM, AddressFromHeader, at
from tests.http.pages import log_in

from watchword import Watchword
from watchword.events import LockedOut, LoginRefused
from watchword.metrics import Metrics
from watchword.storage.tables import attempt

WRONG = "a wrong watchword, entirely"
UNKNOWN = "nobody@example.com"
FREE = 4
BOARD = "203.0.113.9"
HOME = "192.0.2.1"


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url, password_failures=FREE), scopes=SCOPES)


@pytest.fixture
def owner(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(AddressFromHeader(make_app(auth)), headers={FROM: HOME}) as client:
        client.sign_up()
        yield client


@pytest.fixture
def let_pass(owner: Client, auth: Watchword[Any]) -> Callable[..., None]:
    """The clock is the database's: what is stored moves into the past."""

    async def shift(by: timedelta) -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            for row in (await connection.execute(select(attempt))).all():
                until = None if row.blocked_until is None else row.blocked_until - by
                moved = {"last_failed_at": row.last_failed_at - by, "blocked_until": until}
                await connection.execute(update(attempt).where(attempt.c.key == row.key).values(moved))

    def let_pass(**duration: float) -> None:
        assert owner.portal is not None
        owner.portal.call(shift, timedelta(**duration))

    return let_pass


def guess(client: TestClient, times: int, email: str = EMAIL) -> list[Any]:
    form = {"grant_type": "password", "username": email, "password": WRONG}
    return [client.post("/auth/token", data=form) for _ in range(times)]


def same_answer(response: Any) -> tuple[Any, ...]:
    return response.status_code, response.content, tuple(sorted(response.headers.items()))


def test_who_guesses_is_not_heard_any_more_and_is_not_told(owner: Client) -> None:
    stranger = at(owner, BOARD)
    answers = guess(stranger, FREE + 3)
    answers.append(stranger.ask_token())  # the right password
    assert answers[0].status_code == 400
    assert {same_answer(answer) for answer in answers} == {same_answer(answers[0])}


def test_the_wait_ends_and_the_right_password_starts_anew(owner: Client, let_pass: Callable[..., None]) -> None:
    stranger = at(owner, BOARD)
    guess(stranger, FREE)
    assert stranger.ask_token().status_code == 400
    let_pass(seconds=31)
    assert stranger.ask_token().status_code == 200
    guess(stranger, FREE - 1)
    assert stranger.ask_token().status_code == 200


def test_it_is_the_account_that_is_counted_whatever_the_address_and_the_spelling(owner: Client) -> None:
    for n in range(FREE):
        guess(at(owner, f"203.0.113.{n}"), 1, EMAIL if n % 2 else EMAIL.upper())
    assert at(owner, "198.51.100.1").ask_token().status_code == 400
    assert at(owner, "198.51.100.1").ask_token(UNKNOWN).status_code == 400


@pytest.mark.parametrize(("logged_in_from", "tries_from"), [(HOME, HOME), ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9")])
def test_the_owner_still_gets_in_from_a_network_they_are_logged_in_from(
    owner: Client, logged_in_from: str, tries_from: str
) -> None:
    at(owner, logged_in_from).log_in()
    guess(at(owner, BOARD), FREE + 5)
    known = at(owner, tries_from)
    assert known.ask_token().status_code == 200
    assert at(owner, BOARD).ask_token().status_code == 400  # which freed nobody else
    guess(known, FREE)  # a counter of its own, and no more than that
    assert known.ask_token().status_code == 400


def test_a_login_at_our_pages_makes_a_network_known_too(owner: Client) -> None:
    home = at(owner, HOME)
    assert log_in(home).status_code == 200
    guess(at(owner, BOARD), FREE + 5)
    assert log_in(home).status_code == 200
    assert log_in(at(owner, BOARD)).status_code == 400


@pytest.mark.parametrize("tries_from", ["192.0.2.2", "2001:db8:1:3::5"])
def test_another_network_is_not_known(owner: Client, tries_from: str) -> None:
    at(owner, HOME).log_in()
    at(owner, "2001:db8:1:2::5").log_in()
    guess(at(owner, BOARD), FREE)
    assert at(owner, tries_from).ask_token().status_code == 400


def test_a_network_whose_session_was_ended_is_not_known(owner: Client) -> None:
    thief = at(owner, BOARD)
    headers = thief.log_in()
    assert owner.post("/auth/logout", headers=headers).status_code == 204
    guess(at(owner, "198.51.100.1"), FREE)
    assert thief.ask_token().status_code == 400


def test_a_guess_at_the_current_password_has_to_wait_and_is_told(owner: Client) -> None:
    headers = owner.log_in()
    change = {"current_password": WRONG, "new_password": "another long watchword"}

    def ask() -> Any:
        return owner.post("/auth/password/change", json=change, headers=headers)

    assert [ask().json()["code"] for _ in range(FREE)] == ["wrong_password"] * FREE
    change["current_password"] = PASSWORD
    refused = ask()
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 30
    assert refused.headers["Cache-Control"] == "no-store"
    assert owner.ask_token().status_code == 200  # a login is another matter


def test_a_lock_is_told_to_who_listens_once_and_whose_it_is(owner: Client, auth: Watchword[Any]) -> None:
    metrics = Metrics(auth, CollectorRegistry())
    locked: list[LockedOut] = []
    refused: list[LoginRefused] = []
    auth._events.on(LockedOut, locked.append)
    auth._events.on(LoginRefused, refused.append)
    guess(at(owner, BOARD), FREE + 2)
    guess(at(owner, BOARD), FREE, UNKNOWN)
    assert [(event.kind, event.user_id is None, event.device.address) for event in locked] == [
        ("password", False, BOARD),
        ("password", True, BOARD),
    ]
    assert "locked" in refused[FREE].reason
    assert 'watchword_lockouts_total{kind="password"} 2.0' in metrics.exposition().decode()


def test_row_39_unknown_disabled_locked_and_hashless_users_answer_as_a_wrong_password_does(
    owner: Client, auth: Watchword[Any]
) -> None:
    async def others() -> None:
        await auth.users.create("hashless@example.com", None)
        await auth.users.disable((await auth.users.create("disabled@example.com", PASSWORD)).id)

    assert owner.portal is not None
    owner.portal.call(others)
    wrong = same_answer(guess(owner, 1)[0])
    for email, password in (
        (UNKNOWN, PASSWORD),
        ("not an address", PASSWORD),
        ("hashless@example.com", PASSWORD),
        ("disabled@example.com", PASSWORD),
    ):
        answers = [owner.ask_token(email, password) for _ in range(FREE + 2)]
        assert {same_answer(answer) for answer in answers} == {wrong}
    guess(owner, FREE)
    assert same_answer(owner.ask_token()) == wrong


def test_row_39_a_taken_address_is_told_at_sign_up_and_nothing_else_about_it(owner: Client) -> None:
    """As documented: without verification of addresses, sign-up tells whether one has an account."""
    again = owner.post("/auth/users", json={"email": EMAIL, "password": "another long watchword"})
    assert (again.status_code, again.json()) == (
        409,
        {"detail": "An account with this email exists", "code": "email_taken"},
    )
    assert owner.ask_token().status_code == 200


def test_row_39_each_refusal_does_the_same_work(owner: Client, auth: Watchword[Any]) -> None:
    """What takes time is counted, which no noise of a machine disturbs: hashes computed, statements sent."""
    from sqlalchemy import event

    storage = auth.open_session.storage
    statements: list[str] = []

    @event.listens_for(storage.engine.sync_engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    def work(email: str, password: str) -> list[str]:
        statements.clear()
        assert owner.ask_token(email, password).status_code == 400
        return list(statements)

    guess(owner, 1, "warm@up.example")
    assert work(EMAIL, WRONG) == work(UNKNOWN, WRONG)
    guess(owner, FREE)
    guess(owner, FREE, UNKNOWN)
    locked = [work(EMAIL, WRONG), work(EMAIL, PASSWORD), work(UNKNOWN, WRONG)]
    assert locked == [locked[0]] * 3
