"""Rows 31 to 35: what is sent to the authorization endpoint, and with codes; F7, codes raced through instances."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from tests.attacks.conftest import Refused
from tests.conftest import SCOPES, Client, make_app, make_settings, on_both
from tests.http.clients import call, claims_of
from tests.third_parties import REDIRECT_URI, ThirdParty, answer_of, challenge_of, log_in

from watchword import Watchword
from watchword.storage.tables import authorization_code

AT_ONCE = 50


@pytest.fixture
def shop(client: Client, auth: Watchword[Any]) -> ThirdParty:
    client.sign_up()
    return ThirdParty(client, auth)


@pytest.fixture
def allowed(client: Client, auth: Watchword[Any], shop: ThirdParty) -> ThirdParty:
    """A third party whose next request gives a code."""
    shop.is_allowed(log_in(client, auth))
    return shop


def is_a_page_and_no_redirect(answer: Any) -> bool:
    assert "shop.example" not in answer.text, "nothing of it is repeated"
    assert "evil" not in answer.text
    kind = answer.headers["content-type"].partition(";")[0]
    told = (answer.status_code, kind, answer.headers["cache-control"], "location" in answer.headers)
    return told == (400, "text/html", "no-store", False)


_ELSEWHERE = (
    "https://shop.example/callback/more",
    "https://shop.example/callbacks",
    "https://shop.example/callback/",
    "https://shop.example/callback/..",
    "https://shop.example/callback/../../evil",
    "https://shop.example/callback/%2e%2e/evil",
    "https://shop.example/%63allback",
    "https://shop.example//callback",
    "https://user@shop.example/callback",
    "https://shop.example@evil.example/callback",
    "https://shop.example:pass@evil.example/callback",
    "https://shop.example\\@evil.example/callback",
    "https://shop.example/callback#fragment",
    "https://shop.example/callback#",
    "https://shop.example/callback?",
    "https://shop.example/callback?next=https://evil.example",
    "https://SHOP.example/callback",
    "HTTPS://shop.example/callback",
    "https://shop.example/Callback",
    "https://shop.example:443/callback",
    "https://shop.example:8443/callback",
    "https://shop.example.evil.example/callback",
    "https://shop.example./callback",
    "https://evil.shop.example/callback",
    "http://shop.example/callback",
    "//shop.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,evil",
    " https://shop.example/callback",
    "https://shop.example/callback ",
    "https://shop.example/callback\t",
    "https://shop.example/callback\r\nLocation: https://evil.example",
    "https://ѕhop.example/callback",  # a Cyrillic ѕ
    "",
    "*",
)


def test_row_31_a_redirect_uri_that_is_not_registered(client: Client, auth: Watchword[Any], shop: ThirdParty) -> None:
    browser = log_in(client, auth)
    for uri in _ELSEWHERE:
        assert is_a_page_and_no_redirect(shop.authorize(redirect_uri=uri)), uri
        # Whatever else is wrong with it, and however nobody may be asked: it stays a page.
        assert is_a_page_and_no_redirect(shop.authorize(redirect_uri=uri, response_type="token", prompt="none")), uri
    assert is_a_page_and_no_redirect(shop.authorize(redirect_uri=None))
    shop.is_allowed(browser)
    assert "code" in answer_of(shop.authorize())


def test_row_31_a_parameter_that_comes_twice(client: Client, shop: ThirdParty) -> None:
    for name, value in shop.request().items():
        for again in (value, "https://evil.example/callback"):
            twice: Any = [*shop.request().items(), (name, again)]
            answer = client.get("/auth/authorize", params=twice, follow_redirects=False)
            assert is_a_page_and_no_redirect(answer), name


def test_row_31_a_client_that_there_is_not(client: Client, auth: Watchword[Any], shop: ThirdParty) -> None:
    log_in(client, auth)
    for client_id in ("", "first-party", shop.id + "x", shop.id.upper(), "' OR 1=1", "☃" * 300, None):
        assert is_a_page_and_no_redirect(shop.authorize(client_id=client_id)), client_id
    for query in (
        "client_id=%ff",
        f"client_id={shop.id}%00",
        f"client_id={shop.id}&redirect_uri=%",
        "&".join("abc" * 30),
    ):
        assert is_a_page_and_no_redirect(client.get(f"/auth/authorize?{query}", follow_redirects=False)), query


def test_row_31_what_is_registered_by_another_client(client: Client, auth: Watchword[Any], shop: ThirdParty) -> None:
    uri = "https://other.example/callback"
    ThirdParty(client, auth, redirect_uris=[uri])
    log_in(client, auth)
    assert is_a_page_and_no_redirect(shop.authorize(redirect_uri=uri))


def test_row_32_no_pkce_or_plain(allowed: ThirdParty) -> None:
    wrong: list[dict[str, str | None]] = [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": ""},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 44},
        {"code_challenge": "a" * 42 + "="},
        {"code_challenge": "a" * 42 + "b"},
        {"code_challenge": "+" * 43},
    ]
    for changes in wrong:
        told = answer_of(allowed.authorize(**changes))
        assert (told["error"], told["state"]) == ("invalid_request", "a state"), changes
        assert "code" not in told


def test_row_32_verifiers_that_are_none(allowed: ThirdParty, refused_by_token_endpoint: Refused) -> None:
    for verifier in ("v" * 42, "v" * 129, "v" * 42 + "+", "v" * 43 + "\n", "é" * 43, "v" * 42 + "=", "V" * 43):
        code = allowed.code(code_challenge=challenge_of(verifier))
        answer = allowed.redeem(code, code_verifier=verifier)
        is_good = verifier == "V" * 43
        assert (answer.status_code == 200) is is_good, verifier
        assert is_good or answer.json()["error"] == "invalid_grant"
    longest = "v" * 128
    assert allowed.redeem(allowed.code(code_challenge=challenge_of(longest)), code_verifier=longest).status_code == 200
    form = {"grant_type": "authorization_code", "code": allowed.code(), "redirect_uri": REDIRECT_URI}
    request = allowed.credentials()
    refused_by_token_endpoint("invalid_request", data=form, headers=request["headers"])


def test_row_33_other_response_types_and_silence(client: Client, auth: Watchword[Any], shop: ThirdParty) -> None:
    for response_type in ("token", "id_token", "code id_token", "none", "CODE"):
        told = answer_of(shop.authorize(response_type=response_type))
        assert (told["error"], told["state"], told["iss"]) == (
            "unsupported_response_type", "a state", auth.settings.issuer,
        )  # fmt: skip
    told = answer_of(shop.authorize(prompt="none"))
    assert (told["error"], told["state"], told["iss"]) == ("login_required", "a state", auth.settings.issuer)
    for cookie in ("wwb_nonsense", "wwb_" + "A" * 48, "x" * 4000):
        client.cookies.set("watchword_session", cookie)
        assert answer_of(shop.authorize(prompt="none"))["error"] == "login_required"


@on_both
def test_row_34_a_code_used_again_ends_what_it_gave(
    client: Client, allowed: ThirdParty, refused_by_guard: Refused
) -> None:
    code = allowed.code()
    tokens = allowed.redeem(code).json()
    assert client.get("/orders", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    assert allowed.redeem(code).json()["error"] == "invalid_grant"
    refused_by_guard(tokens["access_token"])
    assert allowed.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


@on_both
def test_row_34_invalid_attempts_alone_revoke_nothing(
    client: Client, auth: Watchword[Any], allowed: ThirdParty
) -> None:
    thief, code = ThirdParty(client, auth), allowed.code()

    def try_in_vain() -> None:
        for answer in (
            allowed.redeem(code, code_verifier="v" * 43),
            allowed.redeem(code, redirect_uri="https://evil.example"),
            thief.redeem(code),
            allowed.redeem(code[:-1]),
            allowed.redeem(code + "A"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    try_in_vain()
    tokens = allowed.redeem(code).json()
    try_in_vain()
    assert client.get("/orders", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    assert allowed.refresh(tokens["refresh_token"]).status_code == 200


@on_both
def test_row_34_a_code_used_again_after_it_expired_ends_what_it_gave(
    client: Client, auth: Watchword[Any], allowed: ThirdParty
) -> None:
    code = allowed.code()
    tokens = allowed.redeem(code).json()
    expire_codes(client, auth)
    assert allowed.redeem(code).status_code == 400
    assert allowed.refresh(tokens["refresh_token"]).status_code == 400


@on_both
def test_row_35_a_code_that_expired(client: Client, auth: Watchword[Any], allowed: ThirdParty) -> None:
    code = allowed.code()
    expire_codes(client, auth)
    answer = allowed.redeem(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_row_35_what_is_no_code(allowed: ThirdParty) -> None:
    fresh = allowed.code()
    others = allowed.redeem(fresh).json()
    for text in (others["access_token"], others["refresh_token"], "x", "wwa_" + "A" * 48, "☃" * 52, fresh.swapcase()):
        answer = allowed.redeem(text)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.fixture
def instances(database_url: str) -> Iterator[list[tuple[Client, Watchword[Any]]]]:
    """Three instances of one app on one database."""
    with ExitStack() as stack:
        auths: list[Watchword[Any]] = [Watchword(make_settings(database_url), scopes=SCOPES) for _ in range(3)]
        clients = [stack.enter_context(Client(make_app(auth))) for auth in auths]
        clients[0].sign_up()
        for client in clients:  # FastAPI builds a route when it is first asked for; not three of them at once
            assert client.post("/auth/token", data={"grant_type": "x"}).status_code == 400
        yield list(zip(clients, auths, strict=True))


def test_f7_fifty_uses_of_one_code_at_once_are_one_session_which_then_ends(
    instances: list[tuple[Client, Watchword[Any]]],
) -> None:
    shop = ThirdParty(*instances[0], auth_method="none")
    shop.is_allowed(log_in(*instances[0]))
    code = shop.code()
    form = {
        "grant_type": "authorization_code",
        "client_id": shop.id,
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    }

    def redeem(number: int) -> Any:
        return instances[number % 3][0].post("/auth/token", data=form)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(redeem, range(AT_ONCE)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: AT_ONCE - 1}
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
    (tokens,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert claims_of(tokens["access_token"])["client_id"] == shop.id
    assert shop.refresh(tokens["refresh_token"]).status_code == 400
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert [client.get("/orders", headers=bearer).status_code for client, _ in instances] == [401] * 3


def expire_codes(client: Client, auth: Watchword[Any]) -> None:
    async def expire() -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            past = datetime.now(UTC) - timedelta(seconds=1)
            await connection.execute(update(authorization_code).values(expires_at=past))

    call(client, expire)
