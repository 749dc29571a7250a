"""The second factor over HTTP: set up, logged in with, replaced, removed, demanded, stepped up to."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.clients import call, claims_of
from tests.second_factors import Clock, Phone, bearer, enrol, pending_token, verify

from watchword import ConfigurationError, Watchword, requires_recent_login, requires_second_factor
from watchword.events import (
    Event,
    LoggedIn,
    LoggedOutEverywhere,
    LoginRefused,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondFactorDisabled,
    SecondFactorEnabled,
    SecondFactorRefused,
)
from watchword.storage.tables import recovery_code, session, totp

OTHER = "another long password"


@pytest.fixture
def clock() -> Clock:
    return Clock()


on_both = pytest.mark.parametrize("url", ["sqlite_url", "postgresql_url"], indirect=True)
"""For what is decided by a statement; the rest is the same wherever it is stored."""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(getattr(request, "param", "sqlite_url")))


@pytest.fixture
def auth(url: str) -> Watchword[Any]:
    return Watchword(make_settings(url, product_name="The Shop"), scopes=SCOPES)


@pytest.fixture
def client(auth: Watchword[Any], clock: Clock) -> Iterator[Client]:
    app: FastAPI = make_app(auth)

    @app.get("/vault", dependencies=[requires_second_factor()])
    async def vault() -> str:
        return "gold"

    @app.get("/safe", dependencies=[requires_second_factor(minutes=5)])
    async def safe() -> str:
        return "more gold"

    @app.get("/recent", dependencies=[requires_recent_login(minutes=5)])
    async def recent() -> str:
        return "just now"

    with Client(app) as client:
        clock.govern(auth)
        client.sign_up()
        yield client


@pytest.fixture
def seen(auth: Watchword[Any]) -> list[Event]:
    """What happened, logins aside."""
    seen: list[Event] = []
    auth.on(Event, lambda event: None if isinstance(event, LoggedIn | LoginRefused) else seen.append(event))
    return seen


def setup(client: Client, headers: dict[str, str], **body: str) -> Any:
    return client.post("/auth/2fa/setup", json={"password": PASSWORD, **body}, headers=headers)


def age_sessions(client: Client, auth: Watchword[Any]) -> None:
    """Let all logins be of the year 2020."""

    async def age() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(update(session).values(auth_time=datetime(2020, 1, 1, tzinfo=UTC)))

    call(client, age)


@on_both
def test_from_the_first_code_to_a_login_by_two_factors(client: Client, clock: Clock, seen: list[Event]) -> None:
    headers = client.log_in()
    assert client.get("/auth/me", headers=headers).json()["second_factor"] is False
    made = setup(client, headers).json()
    assert made["provisioning_uri"].startswith("otpauth://totp/The%20Shop:alice%40example.com?secret=")
    assert made["qr_svg"].startswith("<svg ")
    phone = Phone(made["secret"], clock)
    assert client.ask_token().json()["refresh_token"], "nothing is in force before a code was confirmed"
    confirmed = client.post("/auth/2fa/confirm", json={"code": phone.code()}, headers=headers)
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    assert confirmed.headers["cache-control"] == "no-store"
    assert client.get("/auth/me", headers=headers).json()["second_factor"] is True, "remembered guards were told"

    first = client.ask_token(scope="orders:read")
    assert first.json().keys() == {"access_token", "token_type", "expires_in", "mfa_required"}
    assert (first.status_code, first.json()["expires_in"], first.json()["mfa_required"]) == (200, 300, True)
    pair = verify(client, first.json()["access_token"], phone.next_code())
    assert pair.json().keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert pair.json()["scope"] == "orders:read"
    claims = claims_of(pair.json()["access_token"])
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "mfa")
    refreshed = client.post("/auth/refresh", json={"refresh_token": pair.json()["refresh_token"]}).json()
    assert claims_of(refreshed["access_token"])["amr"] == ["pwd", "otp", "mfa"]
    assert client.get("/mine", headers=bearer(refreshed["access_token"])).json() == {"email": EMAIL}
    assert [type(event) for event in seen if type(event).__name__.startswith("S")][:1] == [SecondFactorEnabled]


def test_a_code_can_come_with_the_password(client: Client, clock: Clock) -> None:
    phone, codes = enrol(client, clock, client.log_in())
    for code in (phone.next_code(), codes[0]):
        answer = client.ask_token(otp=code)
        assert answer.json()["refresh_token"]
        assert claims_of(answer.json()["access_token"])["acr"] == "mfa"
    assert client.ask_token(otp="").json()["mfa_required"] is True


def test_a_code_of_a_user_without_a_factor_is_not_looked_at(client: Client) -> None:
    assert claims_of(client.ask_token(otp="123456").json()["access_token"])["amr"] == ["pwd"]


def test_a_wrong_code_with_the_password_reads_like_a_wrong_password(
    client: Client, clock: Clock, seen: list[Event]
) -> None:
    phone, codes = enrol(client, clock, client.log_in())
    seen.clear()
    wrong = [phone.wrong_code(), codes[0][:-4] + "aaaa", "12345", "１２３４５６", "no code at all"]
    answers = [client.ask_token(otp=code) for code in wrong]
    told = client.ask_token(password="a wrong password")
    assert {(each.status_code, each.content, str(each.headers)) for each in answers} == {
        (400, told.content, str(told.headers))
    }
    assert [type(event) for event in seen] == [SecondFactorRefused] * len(wrong)


@on_both
def test_a_recovery_code_is_good_once_and_tells_how_many_are_left(
    client: Client, clock: Clock, seen: list[Event]
) -> None:
    _, codes = enrol(client, clock, client.log_in())
    seen.clear()
    assert verify(client, pending_token(client), codes[3].upper().replace("-", " ")).status_code == 200
    (used,) = seen
    assert isinstance(used, RecoveryCodeUsed)
    assert used.remaining == 9
    again = verify(client, pending_token(client), codes[3])
    assert (again.status_code, again.json()["code"]) == (400, "invalid_grant")


def test_codes_and_seeds_are_not_stored_as_they_are(client: Client, clock: Clock, auth: Watchword[Any]) -> None:
    headers = client.log_in()
    phone, codes = enrol(client, clock, headers)
    waiting = setup(client, headers, code=phone.next_code()).json()["secret"]

    async def rows() -> list[Any]:
        async with auth.open_session.storage.connection() as connection:
            return [row for table in (totp, recovery_code) for row in await connection.execute(select(table))]

    stored = repr(call(client, rows))
    assert not any(secret in stored for secret in (phone.secret, waiting, *codes, *(c.replace("-", "") for c in codes)))


def test_setting_up_needs_the_password_and_then_a_code_of_what_is_in_force(client: Client, clock: Clock) -> None:
    headers = client.log_in()
    refused = client.post("/auth/2fa/setup", json={"password": "a wrong password"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "wrong_password")
    phone, _ = enrol(client, clock, headers)
    for body in ({}, {"code": phone.wrong_code()}, {"code": phone.code()}):
        refused = setup(client, headers, **body)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_grant")


@on_both
def test_the_old_factor_is_in_force_until_the_new_one_is_confirmed(client: Client, clock: Clock) -> None:
    headers = client.log_in()
    old, old_codes = enrol(client, clock, headers)
    new = Phone(setup(client, headers, code=old.next_code()).json()["secret"], clock)
    assert client.ask_token(otp=new.next_code()).status_code == 400
    assert client.ask_token(otp=old.next_code()).status_code == 200
    clock.tick()
    assert client.post("/auth/2fa/confirm", json={"code": old.code()}, headers=headers).status_code == 400
    assert client.post("/auth/2fa/confirm", json={"code": new.code()}, headers=headers).status_code == 200
    assert client.ask_token(otp=old.next_code()).status_code == 400
    assert client.ask_token(otp=old_codes[0]).status_code == 400
    assert client.ask_token(otp=new.next_code()).status_code == 200
    assert client.get("/mine", headers=headers).status_code == 200, "sessions go on"


def test_only_the_last_seed_can_be_confirmed_and_once(client: Client, clock: Clock) -> None:
    headers = client.log_in()
    first, second = (Phone(setup(client, headers).json()["secret"], clock) for _ in range(2))
    confirm: Callable[[str], Any] = lambda code: client.post("/auth/2fa/confirm", json={"code": code}, headers=headers)  # noqa: E731
    assert confirm(first.code()).json()["code"] == "invalid_grant"
    assert confirm(second.code()).status_code == 200
    again = confirm(second.next_code())
    assert (again.status_code, again.json()["code"]) == (409, "no_second_factor")


@on_both
def test_a_factor_is_removed_by_password_and_code(client: Client, clock: Clock, seen: list[Event]) -> None:
    headers = client.log_in()
    phone, codes = enrol(client, clock, headers)
    disable: Callable[..., Any] = lambda password, code: client.post(  # noqa: E731
        "/auth/2fa/disable", json={"password": password, "code": code}, headers=headers
    )
    assert disable("a wrong password", phone.next_code()).json()["code"] == "wrong_password"
    assert disable(PASSWORD, phone.wrong_code()).json()["code"] == "invalid_grant"
    assert disable(PASSWORD, phone.next_code()).status_code == 204
    assert isinstance(seen[-1], SecondFactorDisabled)
    assert client.ask_token().json()["refresh_token"]
    assert client.get("/auth/me", headers=headers).json()["second_factor"] is False
    assert disable(PASSWORD, codes[0]).json()["code"] == "no_second_factor"


@on_both
def test_new_recovery_codes_void_the_old_ones(client: Client, clock: Clock, seen: list[Event]) -> None:
    headers = client.log_in()
    phone, old = enrol(client, clock, headers)
    body = {"password": PASSWORD, "code": phone.next_code()}
    new = client.post("/auth/2fa/recovery-codes", json=body, headers=headers).json()["recovery_codes"]
    assert isinstance(seen[-1], RecoveryCodesRenewed)
    assert len(set(new) | set(old)) == 20
    assert client.ask_token(otp=old[0]).status_code == 400
    assert client.ask_token(otp=new[0]).status_code == 200


@pytest.mark.parametrize("end", ["password", "everywhere", "disabled", "reset"])
def test_a_pending_token_ends_with_what_it_stands_for(
    client: Client, clock: Clock, auth: Watchword[Any], end: str
) -> None:
    headers = client.log_in()
    phone, codes = enrol(client, clock, headers)
    token = pending_token(client)
    user_id = UUID(client.get("/auth/me", headers=headers).json()["id"])
    if end == "password":
        change = {"current_password": PASSWORD, "new_password": OTHER}
        assert client.post("/auth/password/change", json=change, headers=headers).status_code == 204
    elif end == "everywhere":
        assert client.delete("/auth/sessions?everywhere=true", headers=headers).status_code == 204
    elif end == "disabled":
        call(client, auth.users.disable, user_id)
    else:
        call(client, auth.users.reset_second_factor, user_id)
    assert verify(client, token, phone.next_code()).status_code == 401
    assert verify(client, token, codes[0]).status_code == 401


def test_what_the_roles_no_longer_allow_is_not_granted_when_the_code_comes(
    client: Client, clock: Clock, auth: Watchword[Any]
) -> None:
    phone, _ = enrol(client, clock, client.log_in())
    token = pending_token(client)
    call(client, auth.roles.set_scopes, "user", ["orders:read"])
    assert verify(client, token, phone.next_code()).json()["scope"] == "orders:read"


def test_a_weak_hash_is_replaced_although_the_login_waits(client: Client, clock: Clock, auth: Watchword[Any]) -> None:
    from pwdlib.hashers.bcrypt import BcryptHasher

    call(client, auth.users.create, "old@example.com", password_hash=BcryptHasher(rounds=4).hash(PASSWORD))
    phone, _ = enrol(client, clock, client.log_in("old@example.com"))

    async def weaken(scheme: str) -> str:
        from watchword.identity.authenticate_user import new_hash

        async with auth.open_session.storage.transaction() as stores:
            account = await stores.users.find("old@example.com")
            assert account is not None
            if scheme:
                await stores.users.rehash(account, new_hash(BcryptHasher(rounds=4).hash(PASSWORD)))
            return str(account.password_hash)

    call(client, weaken, "bcrypt")
    token = pending_token(client, "old@example.com")
    assert call(client, weaken, "").startswith("$argon2id$")
    assert verify(client, token, phone.next_code()).status_code == 200


@on_both
def test_a_route_can_ask_for_two_factors_and_a_session_is_stepped_up(
    client: Client, clock: Clock, auth: Watchword[Any]
) -> None:
    headers = client.log_in(scope="orders:read")
    refused = client.get("/vault", headers=headers)
    assert (refused.status_code, refused.json()) == (401, {"detail": "A second factor is needed to do this"})
    assert refused.headers["www-authenticate"] == (
        'Bearer error="insufficient_user_authentication", '
        'error_description="A second factor is needed to do this", acr_values="mfa"'
    )
    no_factor = client.post("/auth/2fa/verify", json={"code": "123456"}, headers=headers)
    assert (no_factor.status_code, no_factor.json()["code"]) == (409, "no_second_factor")
    phone, codes = enrol(client, clock, headers)
    age_sessions(client, auth)
    stepped = client.post("/auth/2fa/verify", json={"code": phone.next_code()}, headers=headers)
    assert stepped.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert stepped.json()["scope"] == "orders:read"
    better = bearer(stepped.json()["access_token"])
    before, after = claims_of(headers["Authorization"][7:]), claims_of(stepped.json()["access_token"])
    assert (after["sid"], after["amr"], after["acr"]) == (before["sid"], ["pwd", "otp", "mfa"], "mfa")
    assert abs(after["auth_time"] - time.time()) < 10
    for path in ("/vault", "/safe", "/recent"):
        assert client.get(path, headers=better).status_code == 200
    assert client.get("/vault", headers=headers).status_code == 401, "the old token says what it said"
    wrong = client.post("/auth/2fa/verify", json={"code": phone.wrong_code()}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "invalid_grant")
    assert client.post("/auth/2fa/verify", json={"code": codes[0]}, headers=headers).status_code == 200


def test_a_second_factor_can_be_asked_for_again_after_some_minutes(
    client: Client, clock: Clock, auth: Watchword[Any]
) -> None:
    phone, _ = enrol(client, clock, client.log_in())
    tokens = client.ask_token(otp=phone.next_code()).json()
    age_sessions(client, auth)
    old = bearer(client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()["access_token"])
    assert client.get("/vault", headers=old).status_code == 200
    refused = client.get("/safe", headers=old)
    assert refused.status_code == 401
    assert 'acr_values="mfa", max_age="300"' in refused.headers["www-authenticate"]
    password_alone = client.post("/auth/password/verify", json={"password": PASSWORD}, headers=old)
    assert password_alone.status_code == 400, "the password alone does not renew a login by two factors"
    both = {"password": PASSWORD, "code": phone.next_code()}
    again = client.post("/auth/password/verify", json=both, headers=old)
    assert client.get("/safe", headers=bearer(again.json()["access_token"])).status_code == 200


def test_a_code_that_did_not_come_is_no_wrong_one(client: Client, clock: Clock) -> None:
    """A front end may ask for the password first, to learn whether a code is needed."""
    phone, _ = enrol(client, clock, client.log_in())
    headers = bearer(client.ask_token(otp=phone.next_code()).json()["access_token"])
    for _ in range(12):
        needed = client.post("/auth/password/verify", json={"password": PASSWORD}, headers=headers)
        assert (needed.status_code, needed.json()["detail"]) == (400, "A code of the second factor is needed")
    both = {"password": PASSWORD, "code": phone.next_code()}
    assert client.post("/auth/password/verify", json=both, headers=headers).status_code == 200


def test_the_password_alone_renews_a_login_by_password(client: Client, auth: Watchword[Any]) -> None:
    tokens = client.ask_token().json()
    age_sessions(client, auth)
    old = bearer(client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]}).json()["access_token"])
    assert client.get("/recent", headers=old).status_code == 401
    wrong = client.post("/auth/password/verify", json={"password": "a wrong password"}, headers=old)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    again = client.post("/auth/password/verify", json={"password": PASSWORD}, headers=old).json()
    assert claims_of(again["access_token"])["amr"] == ["pwd"]
    assert client.get("/recent", headers=bearer(again["access_token"])).status_code == 200


def test_an_api_key_and_a_service_do_not_pass_for_two_factors(client: Client, clock: Clock) -> None:
    phone, _ = enrol(client, clock, client.log_in())
    headers = client.log_in(otp=phone.next_code())
    made = client.post("/auth/api-keys", json={"name": "a key", "scopes": ["orders:read"]}, headers=headers).json()
    assert client.get("/orders", headers=bearer(made["key"])).status_code == 200
    assert client.get("/vault", headers=bearer(made["key"])).status_code == 401
    assert client.post("/auth/2fa/verify", json={"code": "1"}, headers=bearer(made["key"])).status_code == 403


def test_an_ended_session_is_not_stepped_up_and_sets_nothing_up(client: Client, clock: Clock) -> None:
    headers = client.log_in()
    phone, _ = enrol(client, clock, headers)
    client.post("/auth/logout", headers=headers)
    assert client.post("/auth/2fa/verify", json={"code": phone.next_code()}, headers=headers).status_code == 401
    assert setup(client, headers, code=phone.next_code()).status_code == 401


@pytest.mark.parametrize("who", [{"second_factor": "required"}, {"second_factor_roles": ["admin"]}])
def test_who_must_have_a_factor_sets_one_up_before_the_login_is_complete(
    sqlite_url: str, clock: Clock, who: dict[str, Any]
) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, **who), scopes=SCOPES)
    with Client(make_app(auth)) as client:
        clock.govern(auth)
        user = client.sign_up()
        call(client, auth.roles.give, UUID(user["id"]), "admin")
        client.sign_up("bob@example.com")
        assert ("refresh_token" in client.ask_token("bob@example.com").json()) is ("second_factor_roles" in who)
        answer = client.ask_token().json()
        assert (answer["mfa_required"], answer["mfa_enrolment_required"]) == (True, True)
        token, headers = answer["access_token"], bearer(answer["access_token"])
        assert client.get("/mine", headers=headers).status_code == 401
        assert verify(client, token, "123456").status_code == 401
        assert (
            client.post("/auth/2fa/disable", json={"password": PASSWORD, "code": "1"}, headers=headers).status_code
            == 401
        )
        phone = Phone(setup(client, headers).json()["secret"], clock)
        wrong = client.post("/auth/2fa/confirm", json={"code": phone.wrong_code()}, headers=headers)
        assert wrong.status_code == 400
        done = client.post("/auth/2fa/confirm", json={"code": phone.code()}, headers=headers).json()
        assert len(done["recovery_codes"]) == 10
        assert claims_of(done["access_token"])["acr"] == "mfa"
        assert client.post("/auth/refresh", json={"refresh_token": done["refresh_token"]}).status_code == 200
        assert setup(client, headers, code=phone.next_code()).status_code == 200
        again = client.post("/auth/2fa/confirm", json={"code": phone.code()}, headers=headers)
        assert again.status_code in {400, 401}, "the pending token was traded"
        body = {"password": PASSWORD, "code": done["recovery_codes"][0]}
        kept = client.post("/auth/2fa/disable", json=body, headers=bearer(done["access_token"]))
        assert (kept.status_code, kept.json()["code"]) == (409, "second_factor_required")
        assert client.ask_token(otp=done["recovery_codes"][0]).status_code == 200, "what was refused used nothing up"


@on_both
def test_an_administrator_resets_a_lost_factor(client: Client, clock: Clock, auth: Watchword[Any]) -> None:
    boss = client.sign_up("boss@example.com")
    call(client, auth.roles.give, UUID(boss["id"]), "admin")
    admin = client.log_in("boss@example.com", scope="admin")
    headers = client.log_in()
    enrol(client, clock, headers)
    seen: list[Event] = []
    auth.on(Event, seen.append)
    alice = client.get("/auth/me", headers=headers).json()
    reset = client.post(f"/auth/admin/users/{alice['id']}/reset-2fa", headers=admin)
    assert (reset.status_code, reset.json()["second_factor"]) == (200, False)
    assert [(type(event), event.actor) for event in seen] == [
        (SecondFactorDisabled, boss["id"]),
        (LoggedOutEverywhere, boss["id"]),
    ]
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.ask_token().json()["refresh_token"]
    assert client.post(f"/auth/admin/users/{boss['id'][:-4]}0000/reset-2fa", headers=admin).status_code == 404


def test_a_seed_that_does_not_open_lets_nobody_in_and_recovery_codes_go_on(
    client: Client, clock: Clock, auth: Watchword[Any]
) -> None:
    phone, codes = enrol(client, clock, client.log_in())

    async def damage() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(update(totp).values(secret_sealed=b"\x01" + bytes(60)))

    call(client, damage)
    assert verify(client, pending_token(client), phone.next_code()).status_code == 503
    assert client.ask_token(otp=phone.code()).status_code == 503
    assert verify(client, pending_token(client), codes[0]).status_code == 200


def test_a_role_that_must_have_a_factor_and_is_not_there_is_told_at_the_start(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, second_factor_roles=["staff"]))
    with pytest.raises(ConfigurationError, match="WATCHWORD_SECOND_FACTOR_ROLES has staff"), Client(make_app(auth)):
        pass


def test_a_body_that_does_not_fit_is_not_repeated(client: Client) -> None:
    headers = client.log_in()
    bodies: list[Any] = [{}, {"code": None}, {"code": 111111}, {"code": "1" * 65}, {"code": "111111", "x": "y"}, []]
    for body in bodies:
        answer = client.post("/auth/2fa/verify", json=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
        assert "111111" not in answer.text


def test_another_address_needs_the_second_factor_too(client: Client, clock: Clock) -> None:
    """ASVS 7.5.1."""
    phone, codes = enrol(client, clock, client.log_in())
    headers = client.log_in(otp=phone.next_code())
    body = {"new_email": "new@example.com", "password": PASSWORD}
    for code in ({}, {"code": phone.wrong_code()}):
        refused = client.post("/auth/email/change", json={**body, **code}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_grant")
    right = {**body, "code": codes[0]}
    assert client.post("/auth/email/change", json={**right, "password": OTHER}, headers=headers).status_code == 400
    assert client.post("/auth/email/change", json=right, headers=headers).status_code == 202
    assert client.post("/auth/email/change", json=right, headers=headers).status_code == 400, "a code is good once"


@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/me/export"), ("DELETE", "/auth/me")])
def test_what_a_recent_login_is_needed_for_needs_the_second_factor_of_who_has_one(
    client: Client, clock: Clock, method: str, path: str
) -> None:
    """ASVS 7.5.3. A session that was opened before there was a factor has to step up."""
    headers = client.log_in()
    phone, _ = enrol(client, clock, headers)
    refused = client.request(method, path, headers=headers)
    assert refused.status_code == 401
    assert 'acr_values="mfa", max_age="300"' in refused.headers["www-authenticate"]
    stepped = verify(client, headers["Authorization"][7:], phone.next_code()).json()
    assert client.request(method, path, headers=bearer(stepped["access_token"])).is_success
