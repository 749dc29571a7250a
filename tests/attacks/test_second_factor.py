"""Row 38, the second factor under attack; F7, its codes raced on both databases and through several instances."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.http.clients import call, claims_of
from tests.second_factors import Clock, Phone, bearer, enrol, pending_token, verify

from watchword import Watchword
from watchword.crypto import jwt
from watchword.errors import InvalidToken
from watchword.identity.issue import PendingPurpose

AT_ONCE = 50


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def instances(database_url: str, clock: Clock) -> Iterator[list[Client]]:
    """Three instances of one app on one database."""
    with ExitStack() as stack:
        auths: list[Watchword[Any]] = [
            Watchword(make_settings(database_url, code_failures=100), scopes=SCOPES) for _ in range(3)
        ]
        clients = [stack.enter_context(Client(make_app(auth))) for auth in auths]
        clock.govern(*auths)
        clients[0].sign_up()
        for client in clients:  # FastAPI builds a route when it is first asked for; not three of them at once
            assert verify(client, "x", "x").status_code == 401
        yield clients


@pytest.fixture
def victim(client: Client, auth: Watchword[Any], clock: Clock) -> tuple[Phone, list[str]]:
    """Alice, who has a second factor."""
    clock.govern(auth)
    client.sign_up()
    return enrol(client, clock, client.log_in())


def raced(ask: Any, tries: list[Any]) -> Counter[int]:
    """What many requests at once were answered."""
    with ThreadPoolExecutor(len(tries)) as threads:
        return Counter(answer.status_code for answer in threads.map(ask, tries))


@pytest.mark.parametrize("kind", ["totp", "recovery code"])
def test_f7_fifty_logins_at_once_with_one_code_are_one_login(instances: list[Client], clock: Clock, kind: str) -> None:
    phone, codes = enrol(instances[0], clock, instances[0].log_in())
    code = phone.next_code() if kind == "totp" else codes[0]
    answers = raced(lambda number: instances[number % 3].ask_token(otp=code), list(range(AT_ONCE)))
    assert answers == {200: 1, 400: AT_ONCE - 1}


@pytest.mark.parametrize("kind", ["totp", "recovery code"])
def test_f7_fifty_verifications_at_once_with_one_code_are_one_login(
    instances: list[Client], clock: Clock, kind: str
) -> None:
    headers = instances[0].log_in()
    phone, codes = enrol(instances[0], clock, headers)
    code = phone.next_code() if kind == "totp" else codes[0]
    pending = [pending_token(instances[0]) for _ in range(5)]
    tokens = [pending[number % 6] if number % 6 < 5 else headers["Authorization"][7:] for number in range(AT_ONCE)]
    tries = list(enumerate(tokens))
    answers = raced(lambda each: verify(instances[each[0] % 3], each[1], code), tries)
    assert answers[200] == 1
    assert answers.keys() <= {200, 400, 401}, "401 where the pending token was just traded"


def test_f7_one_pending_token_is_one_login_whatever_codes_come_with_it(instances: list[Client], clock: Clock) -> None:
    phone, codes = enrol(instances[0], clock, instances[0].log_in())
    token = pending_token(instances[0])
    answers = raced(lambda each: verify(instances[each[0] % 3], token, each[1]), list(enumerate(codes)))
    assert answers == {200: 1, 401: 9}
    assert verify(instances[0], token, phone.next_code()).status_code == 401
    unused = [code for code in codes if instances[1].ask_token(otp=code).status_code == 200]
    assert len(unused) == 9, "a login that came to nothing used nothing up"


def test_f7_a_factor_confirmed_by_many_at_once_is_confirmed_once(instances: list[Client], clock: Clock) -> None:
    headers = instances[0].log_in()
    made = instances[0].post("/auth/2fa/setup", json={"password": PASSWORD}, headers=headers).json()
    phone = Phone(made["secret"], clock)
    body = {"code": phone.code()}
    answers = raced(lambda n: instances[n % 3].post("/auth/2fa/confirm", json=body, headers=headers), list(range(12)))
    assert answers[200] == 1
    assert answers.keys() <= {200, 400, 409}


def test_a_login_that_waits_in_the_queue_while_a_factor_comes_into_force_is_no_login(
    instances: list[Client], clock: Clock
) -> None:
    """What was read of the account is compared when the session is opened."""
    client = instances[0]
    auth = client.app_state["watchword"]
    verified = call(client, auth.use_cases.grants["password"].authenticate_user, EMAIL, PASSWORD)
    phone, _ = enrol(client, clock, client.log_in())
    first_party = call(client, auth.use_cases.authenticate_client, _nobody())
    login: dict[str, Any] = {"scopes": frozenset(), "amr": ("pwd",), "device": _nowhere()}
    assert call(client, auth.open_session, verified.account, first_party, **login) is None
    again = call(client, auth.use_cases.grants["password"].authenticate_user, EMAIL, PASSWORD, code=phone.next_code())
    headers = client.log_in(otp=phone.next_code())
    enrol(client, clock, headers, code=phone.next_code())
    assert call(client, auth.open_session, again.account, first_party, **login, uses=(again.factor,)) is None


def _nobody() -> Any:
    from watchword.identity.authenticate_client import ClientCredentials

    return ClientCredentials()


def _nowhere() -> Any:
    from watchword.events import NOWHERE

    return NOWHERE


@pytest.mark.parametrize("way", ["verify", "otp", "step-up", "disable", "confirm"])
def test_row_38_who_tries_codes_has_to_wait_and_the_right_one_is_not_heard_either(
    client: Client, victim: Any, auth: Watchword[Any], way: str
) -> None:
    phone, codes = victim
    headers = client.log_in(otp=phone.next_code())
    if way == "confirm":
        body = {"password": PASSWORD, "code": phone.next_code()}
        phone = Phone(client.post("/auth/2fa/setup", json=body, headers=headers).json()["secret"], phone.clock)

    def present(code: str) -> Any:
        if way == "otp":
            return client.ask_token(otp=code)
        if way == "verify":
            return verify(client, pending_token(client), code)
        body = {"code": code, **({"password": PASSWORD} if way == "disable" else {})}
        return client.post(f"/auth/2fa/{'verify' if way == 'step-up' else way}", json=body, headers=headers)

    wrong = [present(phone.wrong_code()) for _ in range(6)]
    assert [answer.status_code for answer in wrong] == [400] * 5 + [429]
    refused = present(phone.next_code())
    assert refused.status_code == 429
    assert 25 <= int(refused.headers["retry-after"]) <= 30
    assert refused.json()["detail"] == "Too many failed attempts, try again later"
    if way == "verify":
        assert present(codes[0]).status_code == 200, "recovery codes are counted by themselves"
        assert [present(codes[0]).status_code for _ in range(6)] == [400] * 5 + [429]
        assert present(codes[1]).status_code == 429


@pytest.mark.parametrize("way", ["verify", "otp", "step-up"])
def test_row_38_a_code_is_not_taken_twice(client: Client, victim: Any, way: str) -> None:
    phone, codes = victim
    headers = client.log_in(otp=phone.next_code())

    def present(code: str) -> Any:
        if way == "otp":
            return client.ask_token(otp=code)
        return verify(client, pending_token(client) if way == "verify" else headers["Authorization"][7:], code)

    for code in (phone.next_code(), codes[0]):
        assert present(code).status_code == 200
        refused = present(code)
        assert refused.status_code == 400
        assert refused.json().get("error", refused.json().get("code")) == "invalid_grant"
        assert code not in refused.text


def test_row_38_a_used_step_stays_used_though_the_clock_goes_back(client: Client, victim: Any, clock: Clock) -> None:
    phone, _ = victim
    first = phone.next_code()
    second = phone.next_code()
    assert client.ask_token(otp=second).status_code == 200
    clock.tick(-1)
    for code in (first, second):
        assert client.ask_token(otp=code).status_code == 400, "an earlier step is not good again either"
    clock.tick(-20)
    assert client.ask_token(otp=phone.code()).status_code == 400
    clock.tick(22)
    assert client.ask_token(otp=phone.code()).status_code == 200
    assert client.ask_token(otp=phone.code(ahead=1)).status_code == 200, "a clock may be a step behind"
    assert client.ask_token(otp=phone.code(ahead=2)).status_code == 400
    clock.tick(3)
    assert client.ask_token(otp=phone.code(ahead=-2)).status_code == 400


def test_row_38_a_code_of_another_user_is_none(client: Client, victim: Any, clock: Clock) -> None:
    client.sign_up("mallory@example.com")
    hers, codes = enrol(client, clock, client.log_in("mallory@example.com"))
    token = pending_token(client)
    for code in (hers.next_code(), codes[0]):
        assert verify(client, token, code).status_code == 400
        assert client.ask_token(otp=code).status_code == 400
    assert client.ask_token("mallory@example.com", otp=codes[0]).status_code == 200, "nor was it used up"


def test_row_38_the_second_step_cannot_be_skipped(client: Client, victim: Any, auth: Watchword[Any]) -> None:
    """A pending token opens nothing: not as access token, refresh token or assertion, not at any endpoint of ours."""
    token = pending_token(client)
    headers = bearer(token)
    for path in ("/mine", "/who", "/orders"):
        refused = client.get(path, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith('Bearer error="insufficient_user_authentication"')
        assert 'acr_values="mfa"' in refused.headers["www-authenticate"]
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            if "security" in operation and not path.startswith("/auth/2fa"):
                url = path.replace("{user_id}", "0" * 8 + "-0000-7000-8000-" + "0" * 12)
                assert client.request(method, url, headers=headers).status_code in {401, 422}, url
    for path in ("/auth/2fa/setup", "/auth/2fa/confirm", "/auth/2fa/disable", "/auth/2fa/recovery-codes"):
        assert client.post(path, json={"password": PASSWORD, "code": "1"}, headers=headers).status_code in {401, 422}
    assert client.post("/auth/refresh", json={"refresh_token": token}).status_code == 400
    assert client.post("/auth/revoke", data={"token": token}).status_code == 200
    claims = claims_of(token)
    assert claims["aud"] == ["http://localhost:8000/auth/2fa/verify"]
    assert "sid" not in claims
    with pytest.raises(jwt.BadToken, match="typ is not"):
        read_as_access_token(auth, token)


def read_as_access_token(auth: Watchword[Any], token: str) -> None:
    verify = auth.verify_credential._verify
    expected = jwt.Expected(jwt.ACCESS_TOKEN_TYPE, verify.rules.issuer, verify.rules.audience)
    jwt.decode(token, keys=verify.keyring.keys, expected=expected, now=verify.clock())


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "01890000-0000-7000-8000-000000000000"}, {"epoch": 7}, {"epoch": "0"}, {"password": "x"}, {"exp": 1},
        {"iss": "https://evil.example"}, {"aud": "http://localhost:8000/auth/2fa/setup"}, {"client_id": "other"},
    ],
)  # fmt: skip
def test_row_38_a_pending_token_that_says_anything_else_is_none(
    client: Client, victim: Any, auth: Watchword[Any], changes: dict[str, Any]
) -> None:
    phone, _ = victim
    claims = {**claims_of(pending_token(client)), **changes}
    pending = auth.verify_pending
    key = auth.use_cases.verify_second_factor.open_session.issue.keyring.keys.signing[pending.rules.algorithm]
    forged = jwt.encode(claims, key=key, type_=jwt.PENDING_LOGIN_TYPE)
    assert verify(client, forged, phone.next_code()).status_code == 401
    unsigned = forged.rpartition(".")[0] + "." + "A" * 86
    assert verify(client, unsigned, phone.code()).status_code == 401
    refused = client.get("/mine", headers=bearer(unsigned))
    assert refused.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
    assert not pending.is_signed_by_us(unsigned)


def test_row_38_an_enrolment_token_presents_no_factor_and_a_login_token_sets_none_up(
    client: Client, victim: Any, auth: Watchword[Any]
) -> None:
    pending = auth.verify_pending
    token = pending_token(client)
    for purpose in (PendingPurpose.SETUP, PendingPurpose.CONFIRM):
        with pytest.raises(InvalidToken, match="aud does not name us"):
            call(client, pending, token, purpose)


def test_row_38_an_enrolment_token_is_void_once_there_is_a_factor(sqlite_url: str, clock: Clock) -> None:
    """Whoever has the password alone cannot put a seed of theirs beside, or in place of, the user's."""
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, second_factor="required"))
    with Client(make_app(auth)) as client:
        clock.govern(auth)
        client.sign_up()
        users, thiefs = (bearer(client.ask_token().json()["access_token"]) for _ in range(2))
        stolen = client.post("/auth/2fa/setup", json={"password": PASSWORD}, headers=thiefs).json()["secret"]
        enrol(client, clock, users)
        confirm = {"code": Phone(stolen, clock).code()}
        assert client.post("/auth/2fa/confirm", json=confirm, headers=thiefs).status_code == 409
        assert client.post("/auth/2fa/setup", json={"password": PASSWORD}, headers=thiefs).status_code == 400
