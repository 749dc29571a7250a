"""Users are told by mail what a thief would do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.inbox import Inbox

from watchword import Watchword

NEW_PASSWORD = "a new and long password"
PHONE = {"User-Agent": "A <b>phone</b>"}


@pytest.fixture
def auth(database_url: str, inbox: Inbox) -> Watchword[Any]:
    settings = make_settings(database_url, notices=True, refresh_leeway="0", product_name="The Shop")
    return Watchword(settings, scopes=SCOPES, mailer=inbox)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        yield client


def log_in_from(client: Client, **headers: str) -> Any:
    form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
    return client.post("/auth/token", data=form, headers=headers).json()


def test_a_login_from_a_new_device_is_told_but_not_the_first_and_not_twice(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    client.log_in()
    client.log_in()
    assert inbox.take(client, auth) == []
    log_in_from(client, **PHONE)
    (mail,) = inbox.take(client, auth)
    assert (mail.to, mail.subject) == (EMAIL, "A login to The Shop from a new device")
    assert "Browser or app: A <b>phone</b>" in mail.text
    assert "Internet address: testclient" in mail.text
    assert "A &lt;b&gt;phone&lt;/b&gt;" in mail.html
    assert "<b>phone" not in mail.html
    log_in_from(client, **PHONE)
    client.log_in()
    assert inbox.take(client, auth) == []


def change_password(client: Client) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/auth/password/change", json=body, headers=client.log_in()).status_code == 204


def reuse_a_refresh_token(client: Client) -> None:
    token = client.ask_token().json()["refresh_token"]
    assert [client.post("/auth/refresh", json={"refresh_token": token}).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    ("act", "subject"),
    [
        (change_password, "Your password at The Shop was changed"),
        (reuse_a_refresh_token, "A login to The Shop was ended, to be safe"),
    ],
)
def test_the_owner_is_told(
    client: Client, auth: Watchword[Any], inbox: Inbox, act: Callable[[Client], None], subject: str
) -> None:
    act(client)
    assert inbox.subjects(client, auth) == [(EMAIL, subject)]


def test_a_reset_password_is_told(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    client.post("/auth/password/forgot", json={"email": EMAIL})
    token = inbox.token(client, auth)
    client.post("/auth/password/reset", json={"token": token, "new_password": NEW_PASSWORD})
    assert inbox.subjects(client, auth) == [(EMAIL, "You have a new password at The Shop")]


def test_a_changed_address_is_told_to_the_former_one(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    body = {"new_email": "new@example.com", "password": PASSWORD}
    client.post("/auth/email/change", json=body, headers=client.log_in())
    client.post("/auth/email/verify", json={"token": inbox.token(client, auth)})
    assert inbox.subjects(client, auth) == [(EMAIL, "Your email address at The Shop was changed")]


def test_notices_can_be_switched_off(sqlite_url: str, inbox: Inbox) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, notices=False), mailer=inbox)
    with Client(make_app(auth)) as client:
        client.sign_up()
        client.log_in()
        log_in_from(client, **PHONE)
        change_password(client)
        assert inbox.take(client, auth) == []


def test_an_app_that_starts_again_tells_once(sqlite_url: str, inbox: Inbox) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, notices=True), mailer=inbox)
    app = make_app(auth)
    with Client(app) as client:
        client.sign_up()
    with Client(app) as client:
        change_password(client)
        assert len(inbox.take(client, auth)) == 1
