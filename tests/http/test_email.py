"""An address has to be proved: by the sign-up that sent the link, by an account, by a change."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, update
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.inbox import Inbox, token_in

from watchword import ConfigurationError, Watchword
from watchword.events import EmailChanged, EmailVerified, Event, UserRegistered
from watchword.storage.tables import one_time_token, outbox, user

NEW = "new@example.com"
OTHER_PASSWORD = "quite another long password"


@pytest.fixture
def auth(database_url: str, inbox: Inbox) -> Watchword[Any]:
    settings = make_settings(database_url, email_verification="required")
    return Watchword(settings, scopes=SCOPES, mailer=inbox)


def ask(client: Client, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post("/auth/users", json={"email": email, "password": password})


def verify(client: Client, token: str) -> int:
    status: int = client.post("/auth/email/verify", json={"token": token}).status_code
    return status


def make_member(client: Client, auth: Watchword[Any], email: str = EMAIL, *, verified: bool = True) -> None:
    async def create() -> None:
        await auth.users.create(email, PASSWORD, is_email_verified=verified)

    assert client.portal is not None
    client.portal.call(create)


def rows(client: Client, auth: Watchword[Any], statement: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with auth.open_session.storage.connection(writes=True) as connection:
            result = await connection.execute(statement)
            return list(result.all()) if result.returns_rows else []

    assert client.portal is not None
    return client.portal.call(read)


def test_a_sign_up_makes_no_account_before_its_link_was_followed(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    seen: list[Event] = []
    auth.on(Event, seen.append)
    assert ask(client).status_code == 202
    assert rows(client, auth, select(user.c.id)) == []
    assert client.ask_token().status_code == 400
    (mail,) = inbox.take(client, auth)
    assert (mail.to, mail.subject) == (EMAIL, "Confirm your email address")
    assert "http://localhost:8000/auth/verify#token=wwo_" in mail.text
    assert verify(client, token_in(mail)) == 204
    me = client.get("/auth/me", headers=client.log_in()).json()
    assert me["email_verified_at"] is not None
    assert me["roles"] == ["user"]
    assert [type(event) for event in seen if isinstance(event, (UserRegistered, EmailVerified))] == [
        UserRegistered,
        EmailVerified,
    ]
    assert verify(client, token_in(mail)) == 400, "it is good once"


def test_a_taken_address_gets_the_same_answer_and_its_owner_is_told(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    make_member(client, auth)
    free, taken = ask(client, NEW), ask(client, EMAIL.upper(), OTHER_PASSWORD)
    assert (free.status_code, free.content, free.headers) == (taken.status_code, taken.content, taken.headers)
    mails = {mail.to: mail for mail in inbox.take(client, auth)}
    assert mails.keys() == {NEW, EMAIL}
    assert mails[EMAIL].subject == "You already have an account at localhost"
    assert "token" not in mails[EMAIL].text
    assert client.ask_token().status_code == 200, "nothing was changed"


@pytest.mark.parametrize("path", ["/auth/users", "/auth/email/resend", "/auth/password/forgot"])
def test_row_39_what_is_written_tells_not_whether_there_is_an_account(
    client: Client, auth: Watchword[Any], path: str, inbox: Inbox
) -> None:
    """The same statements, so the same time; and an outbox that anybody who reads it sees the same in."""
    make_member(client, auth, verified=path != "/auth/email/resend")
    statements: list[str] = []
    engine = auth.open_session.storage.engine.sync_engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    seen, answers = [], []
    for email in (EMAIL, "nobody@example.com"):
        inbox.settle(client, auth)
        statements.clear()
        event.listen(engine, "before_cursor_execute", note)
        try:
            body = {"email": email} | ({"password": PASSWORD} if path == "/auth/users" else {})
            answer = client.post(path, json=body)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        seen.append([text for text in statements if "one_time_token" in text or "outbox (" in text])
        answers.append((answer.status_code, answer.content, str(answer.headers)))
    assert seen[0] == seen[1]
    assert len(seen[0]) >= 2
    assert answers[0] == answers[1]
    assert answers[0][0] == 202


def test_whoever_signs_up_with_somebody_elses_address_and_waits_gains_nothing(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    ask(client, password=OTHER_PASSWORD)
    of_attacker = inbox.token(client, auth)
    ask(client)
    of_owner = inbox.token(client, auth)
    assert verify(client, of_owner) == 204
    assert client.ask_token(password=OTHER_PASSWORD).status_code == 400
    assert client.ask_token().status_code == 200
    assert verify(client, of_attacker) == 400
    assert client.ask_token(password=OTHER_PASSWORD).status_code == 400


def test_of_many_links_for_an_address_followed_at_once_one_makes_the_account(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    for _ in range(4):
        ask(client)
    tokens = [token_in(mail) for mail in inbox.take(client, auth)] * 4
    with ThreadPoolExecutor(8) as requests:
        statuses = list(requests.map(lambda token: verify(client, token), tokens))
    assert sorted(statuses) == [204] + [400] * (len(tokens) - 1)
    assert len(rows(client, auth, select(user.c.id))) == 1


def test_a_link_is_sent_again_but_not_where_two_signed_up_with_the_address(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    ask(client)
    first = inbox.token(client, auth)
    assert client.post("/auth/email/resend", json={"email": EMAIL.upper()}).status_code == 202
    second = inbox.token(client, auth)
    assert first != second
    ask(client, password=OTHER_PASSWORD)
    inbox.take(client, auth)
    assert client.post("/auth/email/resend", json={"email": EMAIL}).status_code == 202
    assert inbox.take(client, auth) == []
    assert verify(client, second) == 204
    assert client.ask_token().status_code == 200


def test_an_account_whose_address_was_not_proved_cannot_log_in_before(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    make_member(client, auth, verified=False)
    refused, unknown = client.ask_token(), client.ask_token("nobody@example.com")
    assert (refused.status_code, refused.content, refused.headers) == (400, unknown.content, unknown.headers)
    client.post("/auth/email/resend", json={"email": EMAIL})
    token = inbox.token(client, auth)
    assert verify(client, token) == 204
    assert client.ask_token().status_code == 200
    client.post("/auth/email/resend", json={"email": EMAIL})
    assert inbox.take(client, auth) == [], "there is nothing to prove any more"


def test_a_new_address_is_proved_before_it_counts(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    make_member(client, auth)
    seen: list[EmailChanged] = []
    auth.on(EmailChanged, seen.append)
    headers = client.log_in()
    assert client.get("/mine", headers=headers).json() == {"email": EMAIL}
    body = {"new_email": "New@Example.com", "password": PASSWORD}
    assert client.post("/auth/email/change", json=body, headers=headers).status_code == 202
    mails = {mail.to: mail for mail in inbox.take(client, auth)}
    assert mails.keys() == {"New@example.com", EMAIL}
    assert "New@example.com" in mails[EMAIL].text
    assert client.get("/mine", headers=headers).json() == {"email": EMAIL}
    assert verify(client, token_in(mails["New@example.com"])) == 204
    assert client.get("/mine", headers=headers).json() == {"email": "New@example.com"}, "guards forgot what they knew"
    assert client.ask_token().status_code == 400
    assert client.ask_token(NEW).status_code == 200
    assert len(seen) == 1


def test_a_change_to_a_taken_address_gets_the_same_answer_and_comes_to_nothing(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    make_member(client, auth)
    make_member(client, auth, NEW)
    headers = client.log_in()
    answers = [
        client.post("/auth/email/change", json={"new_email": email, "password": PASSWORD}, headers=headers)
        for email in (NEW, "free@example.com")
    ]
    assert answers[0].content == answers[1].content
    subjects = dict(inbox.subjects(client, auth))
    assert subjects[NEW].startswith("You already have an account")
    assert subjects["free@example.com"] == "Confirm your new email address"


def test_an_address_that_was_taken_meanwhile_is_not_changed_to(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    make_member(client, auth)
    body = {"new_email": NEW, "password": PASSWORD}
    client.post("/auth/email/change", json=body, headers=client.log_in())
    token = inbox.token(client, auth)
    make_member(client, auth, NEW)
    assert verify(client, token) == 400
    assert client.ask_token().status_code == 200


def test_a_change_needs_the_password_and_ends_with_a_new_one(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    make_member(client, auth)
    headers = client.log_in()
    wrong = client.post("/auth/email/change", json={"new_email": NEW, "password": OTHER_PASSWORD}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    assert client.post("/auth/email/change", json={"new_email": NEW, "password": PASSWORD}).status_code == 401
    client.post("/auth/email/change", json={"new_email": NEW, "password": PASSWORD}, headers=headers)
    token = inbox.token(client, auth)
    change = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert client.post("/auth/password/change", json=change, headers=headers).status_code == 204
    assert verify(client, token) == 400, "who had the old password does not move the account away"


def test_a_link_expires(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    ask(client)
    token = inbox.token(client, auth)
    ((expires_at,),) = rows(client, auth, select(one_time_token.c.expires_at))
    rows(client, auth, update(one_time_token).values(expires_at=expires_at - timedelta(days=1, seconds=1)))
    assert verify(client, token) == 400


@pytest.mark.parametrize("token", ["", "wwo_", "x" * 52, "wwo_" + "A" * 48, "wwk_" + "A" * 48, "wwo_" + "é" * 48])
def test_what_is_no_token_is_an_invalid_link(client: Client, token: str) -> None:
    for path, more in (("email/verify", {}), ("password/reset", {"new_password": PASSWORD})):
        answer = client.post(f"/auth/{path}", json={"token": token, **more})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_link")


def test_no_log_no_event_and_no_table_holds_a_link(
    client: Client, auth: Watchword[Any], inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Event] = []
    auth.on(Event, seen.append)
    with caplog.at_level(logging.DEBUG):
        make_member(client, auth)
        ask(client, NEW)
        client.post("/auth/password/forgot", json={"email": EMAIL})
        stored = str(rows(client, auth, select(one_time_token))) + str(rows(client, auth, select(outbox)))
        tokens = [token_in(mail) for mail in inbox.take(client, auth)]
        verify(client, tokens[0])
    assert len(tokens) == 2
    for token in tokens:
        assert token not in caplog.text + repr(seen) + stored
        assert token[4:] not in stored
    assert PASSWORD not in stored + caplog.text


def test_production_that_has_no_mail_has_none_of_it_and_refuses_what_needs_it(sqlite_url: str) -> None:
    production = {"environment": "production", "issuer": "https://login.example.com", "docs_in_production": True}
    app = make_app(Watchword(make_settings(sqlite_url, **production)))
    with Client(app, base_url="https://login.example.com") as client:
        assert client.post("/auth/password/forgot", json={"email": EMAIL}).status_code == 404
        assert client.post("/auth/email/verify", json={"token": "x"}).status_code == 404
        client.sign_up()
    for changes in ({"email_verification": "required"}, {"notices": True}):
        with pytest.raises(ConfigurationError, match="needs mail: set WATCHWORD_MAIL_URL to smtp://"):
            make_app(Watchword(make_settings(sqlite_url, **production, **changes)))


def test_production_without_pages_refuses_mail_whose_links_lead_nowhere(sqlite_url: str, inbox: Inbox) -> None:
    production = {"environment": "production", "issuer": "https://login.example.com", "docs_in_production": True}
    settings = make_settings(sqlite_url, **production, pages=False)
    with pytest.raises(ConfigurationError, match="WATCHWORD_PAGES=false: set WATCHWORD_EMAIL_VERIFICATION_URL"):
        make_app(Watchword(settings, mailer=inbox))
    url = "https://app.example.com/page#token={token}"
    settings = make_settings(sqlite_url, **production, pages=False, email_verification_url=url, password_reset_url=url)
    make_app(Watchword(settings, mailer=inbox))


def test_in_development_mail_goes_to_the_log(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url))
    with Client(make_app(auth)) as client:
        client.sign_up()
        client.post("/auth/password/forgot", json={"email": EMAIL})
        Inbox().settle(client, auth)
    assert f"WATCHWORD_MAIL_URL is not set; for {EMAIL}" in caplog.text
    assert "/auth/reset#token=wwo_" in caplog.text
