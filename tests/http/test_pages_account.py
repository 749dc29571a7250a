"""The pages of one's own account: logins, second factor, password; and mailed links that lead to pages."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings
from tests.http.pages import SESSION, another_browser, fields_of, is_logged_in, log_in, send, title_of
from tests.inbox import Inbox
from tests.second_factors import Clock, Phone, enrol

from watchword import Watchword
from watchword.events import Event, LoggedInAtPages, RecoveryCodesRenewed, SecondFactorDisabled, SecondFactorEnabled
from watchword.http.pages.devices import device_name
from watchword.storage.tables import browser_session, session

NEW = "a new password that is long"
HERE = "/auth/account/second-factor"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def auth(database_url: str, inbox: Inbox) -> Watchword[Any]:
    return Watchword(make_settings(database_url), mailer=inbox)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        log_in(client)
        yield client


@pytest.fixture
def clock(client: Client, auth: Watchword[Any]) -> Clock:
    clock = Clock()
    clock.govern(auth)
    return clock


def ends(client: Client) -> list[tuple[str, str]]:
    """The logins that the page offers to end: kind and id."""
    page = client.get("/auth/account/sessions").text
    found = re.findall(r'name="kind" value="(\w+)">\s*<button[^>]* name="end" value="([^"]+)"', page)
    return [(kind, identifier) for kind, identifier in found]


def test_a_login_in_another_browser_is_ended(client: Client) -> None:
    with another_browser(client) as other:
        log_in(other)
        ((kind, identifier),) = ends(client)
        assert kind == "browser"
        answer = send(client, "/auth/account/sessions", kind=kind, end=identifier)
        assert "Done" in answer.text
        assert not is_logged_in(other)
    assert is_logged_in(client)


def test_a_login_of_an_app_is_ended(client: Client) -> None:
    headers = client.log_in()
    ((kind, identifier),) = ends(client)
    assert kind == "session"
    send(client, "/auth/account/sessions", kind=kind, end=identifier)
    assert client.get("/mine", headers=headers).status_code == 401


def test_nobody_ends_the_logins_of_others(client: Client) -> None:
    client.sign_up("bob@example.com")
    with another_browser(client) as other:
        headers = other.log_in("bob@example.com")
        theirs = other.get("/auth/sessions", headers=headers).json()["items"][0]["id"]
        assert send(client, "/auth/account/sessions", kind="session", end=theirs).status_code == 404
        log_in(other, "bob@example.com")
        ((_, of_alice),) = _of(client)
        send(other, "/auth/account/sessions", kind="browser", end=of_alice)
    assert is_logged_in(client)


def _of(client: Client) -> list[tuple[str, str]]:
    """This browser's own login, as a second one of the same user sees it."""
    with another_browser(client) as second:
        log_in(second)
        return ends(second)


def test_all_other_logins_are_ended_at_once(client: Client) -> None:
    headers = client.log_in()
    with another_browser(client) as other:
        log_in(other)
        send(client, "/auth/account/sessions", end="others")
        assert not is_logged_in(other)
    assert client.get("/mine", headers=headers).status_code == 401
    assert is_logged_in(client)
    assert ends(client) == []


@pytest.mark.parametrize("query", ["", "?everywhere=true"])
def test_an_app_that_ends_the_other_logins_ends_those_at_pages(client: Client, query: str) -> None:
    headers = client.log_in()
    assert client.delete(f"/auth/sessions{query}", headers=headers).status_code == 204
    assert not is_logged_in(client)
    assert client.get("/mine", headers=headers).status_code == (401 if query else 200)


def test_a_login_ends_when_it_is_not_used_and_its_use_is_noted_once_an_hour(
    client: Client, auth: Watchword[Any]
) -> None:
    async def shift(by: timedelta) -> list[Any]:
        columns = (browser_session.c.last_used_at, browser_session.c.idle_expires_at)
        async with auth.open_session.storage.connection(writes=True) as connection:
            rows = (await connection.execute(select(browser_session.c.id, *columns))).all()
            for row in rows:
                values = {column.name: row._mapping[column] - by for column in columns}
                await connection.execute(update(browser_session).where(browser_session.c.id == row.id).values(values))
        return [(row.last_used_at, row.idle_expires_at) for row in rows]

    assert client.portal is not None
    first = client.portal.call(shift, timedelta(0))
    assert is_logged_in(client)
    assert client.portal.call(shift, timedelta(hours=20)) == first, "nothing is written within the hour"
    assert is_logged_in(client)
    ((used, idle),) = client.portal.call(shift, timedelta(hours=23))
    assert idle > first[0][1] - timedelta(minutes=1), "it lives on"
    assert used > first[0][0] - timedelta(minutes=1)
    assert is_logged_in(client)
    client.portal.call(shift, timedelta(hours=25))
    assert not is_logged_in(client)


def test_a_changed_password_logs_out_everywhere(client: Client) -> None:
    headers = client.log_in()
    wrong = send(client, "/auth/account/password", password="wrong", new_password=NEW)
    assert (wrong.status_code, is_logged_in(client)) == (400, True)
    assert "The current password is not correct" in wrong.text
    weak = send(client, "/auth/account/password", password=PASSWORD, new_password="short")
    assert weak.status_code == 422
    assert "at least 15 characters" in weak.text
    done = send(client, "/auth/account/password", password=PASSWORD, new_password=NEW)
    assert (done.status_code, title_of(done)) == (200, "Your password is changed")
    assert not is_logged_in(client)
    assert client.get("/mine", headers=headers).status_code == 401
    assert log_in(client).status_code == 400
    assert log_in(client, password=NEW).status_code == 200


def test_a_second_factor_is_set_up_replaced_and_removed(client: Client, auth: Watchword[Any], clock: Clock) -> None:
    seen: list[Event] = []
    auth.on(
        Event,
        lambda event: (
            seen.append(event) if "Code" in type(event).__name__ or "Factor" in type(event).__name__ else None
        ),
    )
    assert send(client, HERE, at=f"{HERE}/set-up", password="wrong").status_code == 400
    phone = set_up(client, clock)
    assert "A login asks for a code" in client.get(HERE).text
    refused = send(client, HERE, at=f"{HERE}/recovery-codes", password=PASSWORD, code=phone.wrong_code())
    assert (refused.status_code, "The code is wrong" in refused.text) == (400, True)
    renewed = send(client, HERE, at=f"{HERE}/recovery-codes", password=PASSWORD, code=phone.next_code())
    assert len(re.findall(r"<li>[a-z0-9-]{20,}</li>", renewed.text)) == 10
    assert send(client, HERE, at=f"{HERE}/set-up", password=PASSWORD).status_code == 400, (
        "the one in force is asked for"
    )
    other = set_up(client, clock, code=phone.next_code())
    removed = send(client, HERE, at=f"{HERE}/disable", password=PASSWORD, code=other.next_code())
    assert "was removed" in removed.text
    assert 'value="others"' in removed.text, "ending the other logins is offered"
    assert "A login asks for your password alone" in client.get(HERE).text
    kinds = [type(event) for event in seen if not type(event).__name__.endswith("Refused")]
    assert kinds == [SecondFactorEnabled, RecoveryCodesRenewed, SecondFactorEnabled, SecondFactorDisabled]


def set_up(client: Client, clock: Clock, **fields: str) -> Phone:
    shown = send(client, HERE, at=f"{HERE}/set-up", password=PASSWORD, **fields)
    assert shown.status_code == 200, shown.text
    phone = Phone(shown.text.partition('<code class="secret">')[2].partition("<")[0], clock)
    form = {"form_token": fields_of(shown)["form_token"]}
    assert client.post(f"{HERE}/confirm", data={**form, "code": phone.wrong_code()}).status_code == 400
    done = client.post(f"{HERE}/confirm", data={**form, "code": phone.next_code()})
    assert done.status_code == 200
    assert 'value="others"' in done.text, "ending the other logins is offered"
    return phone


@pytest.mark.parametrize("form", ["set-up", "confirm", "recovery-codes", "disable"])
def test_a_page_that_answered_a_form_leads_back_to_it(client: Client, form: str) -> None:
    refused = client.post(f"{HERE}/{form}", data={"form_token": "of another login"})
    assert (refused.status_code, '<a href="">' in refused.text) == (403, True)
    assert title_of(client.get(f"{HERE}/{form}")) == title_of(client.get(HERE))


def test_a_logout_that_was_refused_leads_back_to_the_account(client: Client) -> None:
    assert client.post("/auth/account/logout", data={"form_token": "of another login"}).status_code == 403
    assert title_of(client.get("/auth/account/logout")) == title_of(client.get("/auth/account"))


def test_a_factor_is_confirmed_by_a_login_that_is_in_force_alone(
    client: Client, auth: Watchword[Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = send(client, HERE, at=f"{HERE}/set-up", password=PASSWORD)
    phone = Phone(shown.text.partition('<code class="secret">')[2].partition("<")[0], clock)
    found = auth.use_cases.find_browser_session
    check = auth.use_cases.enrol_totp.check_code
    judged = type(check).confirm

    async def log_out_meanwhile(self: Any, *args: Any, **kwargs: Any) -> Any:
        step = await judged(self, *args, **kwargs)
        in_force = await found(client.cookies[SESSION])
        assert in_force is not None
        await auth.use_cases.end_browser_session(in_force.user_id, [in_force.id])
        return step

    monkeypatch.setattr(type(check), "confirm", log_out_meanwhile)
    form = {"form_token": fields_of(shown)["form_token"], "code": phone.next_code()}
    assert client.post(f"{HERE}/confirm", data=form).status_code == 401
    monkeypatch.undo()
    assert log_in(client).status_code == 200, "no code is asked for"


def test_a_forgotten_password_is_replaced_by_a_link_to_our_page(
    client: Client, auth: Watchword[Any], inbox: Inbox, clock: Clock
) -> None:
    phone, _ = enrol(client, clock, client.log_in())
    inbox.take(client, auth)
    with another_browser(client) as other:
        for email in (EMAIL, "nobody@example.com"):
            sent = send(other, "/auth/forgot", email=email)
            assert (sent.status_code, title_of(sent)) == (200, "Look at your mail")
        (mail,) = inbox.take(client, auth)
        link = next(line for line in mail.text.splitlines() if "#token=" in line)
        assert link.startswith("http://localhost:8000/auth/reset#token=wwo_")
        weak = send(other, "/auth/reset", token=link, new_password="short")
        assert weak.status_code == 422
        assert fields_of(weak)["token"] == link.partition("#token=")[2], "it need not be pasted again"
        done = send(other, "/auth/reset", token=link, new_password=NEW)
        assert (done.status_code, title_of(done)) == (200, "You have a new password")
        assert not is_logged_in(other), "it logs nobody in"
        again = send(other, "/auth/reset", token=link, new_password=NEW)
        assert (again.status_code, "This link is invalid" in again.text) == (400, True)
        assert log_in(other, password=NEW).headers["location"] == "/auth/login/second-factor", "the factor stays"
        assert send(other, "/auth/login/second-factor", code=phone.next_code()).status_code == 200
    assert not is_logged_in(client)


def test_an_address_is_proved_at_our_page(sqlite_url: str, inbox: Inbox) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, email_verification="required"), mailer=inbox)
    with Client(make_app(auth)) as client:
        assert client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD}).status_code == 202
        (mail,) = inbox.take(client, auth)
        link = next(line for line in mail.text.splitlines() if "#token=" in line)
        assert link.startswith("http://localhost:8000/auth/verify#token=wwo_")
        assert log_in(client).status_code == 400
        done = send(client, "/auth/verify", token=link.partition("#token=")[2])
        assert (done.status_code, title_of(done)) == (200, "Your address is confirmed")
        assert log_in(client).status_code == 200
        assert send(client, "/auth/verify", token=link).status_code == 400


def test_without_mail_no_link_is_offered(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, environment="production", issuer="https://login.example.com")
    with Client(make_app(Watchword(settings), openapi_url=None), base_url="https://login.example.com") as client:
        assert "/forgot" not in client.get("/auth/login").text
        assert client.get("/auth/forgot").status_code == 404


def test_a_login_from_a_new_browser_is_told_by_mail(database_url: str, inbox: Inbox) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url, notices=True), mailer=inbox)
    with Client(make_app(auth)) as client:
        client.sign_up()
        subject = "A login to localhost from a new device"
        for agent, told in (("One", 0), ("One", 0), ("Two", 1), ("Two", 0)):
            client.cookies.clear()
            client.headers["user-agent"] = agent
            log_in(client)
            assert [mail.subject for mail in inbox.take(client, auth)] == [subject] * told


def test_logins_at_pages_are_events(client: Client, auth: Watchword[Any]) -> None:
    seen: list[LoggedInAtPages] = []
    auth.on(LoggedInAtPages, seen.append)
    log_in(client)
    (event,) = seen
    assert (event.name(), event.amr) == ("logged_in_at_pages", ("pwd",))


def test_a_login_again_keeps_what_it_gave_to_clients(client: Client, auth: Watchword[Any]) -> None:
    headers = client.log_in()
    current = client.get("/auth/sessions", headers=headers).json()["items"][0]["id"]

    async def give() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            browser = (await connection.execute(select(browser_session.c.id))).scalar_one()
            statement = update(session).where(session.c.id == UUID(current)).values(browser_session_id=browser)
            await connection.execute(statement)

    assert client.portal is not None
    client.portal.call(give)
    log_in(client)
    assert client.get("/mine", headers=headers).status_code == 200
    send(client, "/auth/account/sessions", end="others")
    assert client.get("/mine", headers=headers).status_code == 200, "it is of this browser"
    send(client, "/auth/account", at="/auth/account/logout")
    assert client.get("/mine", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("okhttp/4.12", "okhttp/4.12"),
        (None, None),
    ],
)
def test_a_device_has_a_name_that_people_know(user_agent: str | None, name: str | None) -> None:
    assert device_name(user_agent) == name
