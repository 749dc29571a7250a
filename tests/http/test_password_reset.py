"""A forgotten password: a link that is good once, for ten minutes, and for the account as it was."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.addresses import FROM, AddressFromHeader, at
from tests.inbox import Inbox, token_in
from tests.second_factors import Clock, bearer, enrol

from watchword import Watchword
from watchword.events import PasswordReset, PasswordResetRequested
from watchword.storage.tables import one_time_token

NEW_PASSWORD = "a new and long password"


@pytest.fixture
def auth(database_url: str, inbox: Inbox) -> Watchword[Any]:
    settings = make_settings(database_url, password_reset_url="https://app.example.com/#/new?t=1#token={token}")
    return Watchword(settings, scopes=SCOPES, mailer=inbox)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        yield client


def forget(client: Client, email: str = EMAIL) -> None:
    assert client.post("/auth/password/forgot", json={"email": email}).status_code == 202


def reset(client: Client, token: str, password: str = NEW_PASSWORD) -> int:
    answer = client.post("/auth/password/reset", json={"token": token, "new_password": password})
    status: int = answer.status_code
    return status


def call(client: Client, function: Any, *arguments: Any, **named: Any) -> Any:
    async def run() -> Any:
        return await function(*arguments, **named)

    assert client.portal is not None
    return client.portal.call(run)


def test_a_link_sets_a_new_password_and_ends_everything_else(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    seen: list[PasswordReset] = []
    auth.on(PasswordReset, seen.append)
    tokens = client.ask_token().json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    key = client.post("/auth/api-keys", json={"name": "ci", "scopes": ["orders:read"]}, headers=headers).json()["key"]
    forget(client, EMAIL.upper())
    forget(client)
    mails = inbox.take(client, auth)
    assert client.get("/mine", headers={"Authorization": f"Bearer {token_in(mails[0])}"}).status_code == 401
    assert {(mail.to, mail.subject) for mail in mails} == {(EMAIL, "Choose a new password")}
    assert "https://app.example.com/#/new?t=1#token=wwo_" in mails[0].text
    answer = client.post(
        "/auth/password/reset", json={"token": token_in(mails[0]), "new_password": NEW_PASSWORD}, headers=headers
    )
    assert (answer.status_code, answer.content) == (204, b""), "it logs nobody in"
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).status_code == 400
    assert client.get("/orders", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert client.ask_token().status_code == 400
    assert client.ask_token(password=NEW_PASSWORD).status_code == 200
    assert [reset(client, token_in(mail), PASSWORD) for mail in mails] == [400, 400], "the other link ended too"
    assert len(seen) == 1


def test_of_fifty_at_once_one_sets_the_password(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    forget(client)
    token = inbox.token(client, auth)
    passwords = [f"{NEW_PASSWORD} number {number}" for number in range(50)]
    with ThreadPoolExecutor(50) as requests:
        statuses = list(requests.map(lambda password: reset(client, token, password), passwords))
    assert sorted(statuses) == [204] + [400] * 49
    assert client.ask_token(password=passwords[statuses.index(204)]).status_code == 200


def test_different_links_of_a_user_at_once_set_one_password(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    for _ in range(8):
        forget(client)
    tokens = [token_in(mail) for mail in inbox.take(client, auth)]
    with ThreadPoolExecutor(8) as requests:
        assert sorted(requests.map(lambda token: reset(client, token), tokens)) == [204] + [400] * 7


def test_a_weak_password_does_not_use_the_link_up(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    forget(client)
    token = inbox.token(client, auth)
    assert [reset(client, token, weak) for weak in ("short", EMAIL, "passwordpassword")] == [422] * 3
    assert reset(client, token) == 204


@pytest.mark.parametrize("change", ["password", "logout everywhere", "disabled", "deleted", "expired"])
def test_a_link_is_good_for_the_account_as_it_was(
    client: Client, auth: Watchword[Any], inbox: Inbox, change: str
) -> None:
    forget(client)
    token = inbox.token(client, auth)
    user = call(client, auth.users.find, EMAIL)
    if change == "password":
        body = {"current_password": PASSWORD, "new_password": "yet another long password"}
        client.post("/auth/password/change", json=body, headers=client.log_in())
    elif change == "logout everywhere":
        client.delete("/auth/sessions?everywhere=true", headers=client.log_in())
    elif change == "disabled":
        call(client, auth.users.disable, user.id)
    elif change == "deleted":
        call(client, auth.users.delete, user.id)
    else:

        async def expire() -> None:
            async with auth.open_session.storage.connection(writes=True) as connection:
                expires_at = (await connection.execute(select(one_time_token.c.expires_at))).scalar_one()
                past = expires_at - timedelta(minutes=10, seconds=1)
                await connection.execute(update(one_time_token).values(expires_at=past))

        call(client, expire)
    assert reset(client, token) == 400
    assert client.ask_token(password=NEW_PASSWORD).status_code == 400


def test_a_reset_link_proves_no_address_and_the_other_way_round(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    forget(client)
    token = inbox.token(client, auth)
    assert client.post("/auth/email/verify", json={"token": token}).status_code == 400
    client.post(
        "/auth/email/change", json={"new_email": "n@example.com", "password": PASSWORD}, headers=client.log_in()
    )
    of_change = inbox.token(client, auth)
    assert reset(client, of_change) == 400
    assert client.post("/auth/email/verify", json={"token": of_change}).status_code == 204
    assert reset(client, token) == 400, "it was mailed to an address that is theirs no longer"


def test_nobody_is_mailed_where_there_is_nobody_and_both_are_events(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    seen: list[PasswordResetRequested] = []
    auth.on(PasswordResetRequested, seen.append)
    user = call(client, auth.users.find, EMAIL)
    for email in ("nobody@example.com", "no address at all", EMAIL):
        forget(client, email)
    assert inbox.subjects(client, auth) == [(EMAIL, "Choose a new password")]
    assert [event.user_id for event in seen] == [None, None, user.id]
    call(client, auth.users.disable, user.id)
    forget(client)
    assert inbox.take(client, auth) == []


def test_a_mailed_link_proves_the_address_and_an_operators_does_not(
    client: Client, auth: Watchword[Any], inbox: Inbox
) -> None:
    user = call(client, auth.users.find, EMAIL)
    link = call(client, auth.users.password_reset_link, user.id)
    assert inbox.take(client, auth) == []
    assert link.startswith("https://app.example.com/#/new?t=1#token=wwo_")
    assert reset(client, link.partition("token=")[2]) == 204
    assert call(client, auth.users.get, user.id).email_verified_at is None
    forget(client)
    assert reset(client, inbox.token(client, auth)) == 204
    assert call(client, auth.users.get, user.id).email_verified_at is not None


def test_an_administrator_has_a_link_mailed_and_is_named(client: Client, auth: Watchword[Any], inbox: Inbox) -> None:
    user = call(client, auth.users.find, EMAIL)
    boss = call(client, auth.users.create, "boss@example.com", PASSWORD, roles={"admin"})
    headers = client.log_in("boss@example.com", scope="admin")
    assert client.post(f"/auth/admin/users/{user.id}/reset", headers=headers).status_code == 202
    assert inbox.subjects(client, auth) == [(EMAIL, "Choose a new password")]
    events = client.get(f"/auth/admin/events?user_id={user.id}", headers=headers).json()["items"]
    assert (events[0]["name"], events[0]["actor"]) == ("password_reset_requested", str(boss.id))
    assert client.post(f"/auth/admin/users/{UUID(int=7)}/reset", headers=headers).status_code == 404
    assert client.post(f"/auth/admin/users/{user.id}/reset", headers=client.log_in()).status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("email/verify", {"token": "x"}),
        ("password/reset", {"token": "x", "new_password": "x"}),
        ("password/forgot", {"email": "x"}),
        ("email/resend", {"email": "x"}),
        ("email/change", {"new_email": "x", "password": "x"}),
        ("users", {"email": "x", "password": "x"}),
    ],
)
def test_one_network_asks_only_so_often(sqlite_url: str, inbox: Inbox, path: str, body: dict[str, str]) -> None:
    rates = {"rate_limits": True, "rate_logins": "2/minute", "rate_sign_ups": "2/hour"}
    settings = make_settings(sqlite_url, email_verification="required", **rates)
    with Client(make_app(Watchword(settings, mailer=inbox))) as client:
        statuses = [client.post(f"/auth/{path}", json=body).status_code for _ in range(3)]
    assert 429 not in statuses[:2]
    assert statuses[2] == 429


def test_a_new_password_lets_the_owner_in_though_others_guessed_at_the_old_one(database_url: str, inbox: Inbox) -> None:
    settings = make_settings(database_url, password_failures=3, code_failures=3)
    auth: Watchword[Any] = Watchword(settings, scopes=SCOPES, mailer=inbox)
    with Client(AddressFromHeader(make_app(auth)), headers={FROM: "192.0.2.1"}) as client:
        clock = Clock()
        clock.govern(auth)
        client.sign_up()
        headers = client.log_in()
        phone, _ = enrol(client, clock, headers)
        stranger = at(client, "203.0.113.9")
        guess = {"grant_type": "password", "username": EMAIL, "password": "a wrong watchword"}
        for _ in range(4):
            stranger.post("/auth/token", data=guess)
        right = {**guess, "password": PASSWORD}
        assert stranger.post("/auth/token", data=right).status_code == 400, "locked"
        forget(client)
        assert reset(client, inbox.token(client, auth)) == 204
        right = {**guess, "password": NEW_PASSWORD}
        assert stranger.post("/auth/token", data=right).json()["mfa_required"] is True
        pending = bearer(stranger.post("/auth/token", data=right).json()["access_token"])
        wrong = [client.post("/auth/2fa/verify", json={"code": phone.wrong_code()}, headers=pending) for _ in range(4)]
        assert wrong[-1].status_code == 429
        forget(client)
        assert reset(client, inbox.token(client, auth), PASSWORD) == 204
        refused = client.ask_token(otp=phone.next_code())
        assert refused.status_code == 429, "each reset would be three more guesses at the code"
