"""`/auth/authorize`: who is sent where, and with what."""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import update
from tests.conftest import SCOPES, Client, make_settings, on_both
from tests.http import pages
from tests.http.clients import call, claims_of
from tests.third_parties import REDIRECT_URI, ThirdParty, answer_of, log_in

from watchword import Watchword
from watchword.identity.authorization import after_consent, after_login
from watchword.storage.tables import browser_session, consent

ISSUER = "http://localhost:8000"
pytestmark = pytest.mark.usefixtures("alice")

Age = Callable[[Any, timedelta], None]


@pytest.fixture
def shop(client: Client, auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth)


@pytest.fixture
def age(client: Client, auth: Watchword[Any]) -> Age:
    """Move a moment into the past, as if time had passed since."""

    def shift(column: Any, by: timedelta) -> None:
        async def write() -> None:
            async with auth.open_session.storage.connection(writes=True) as connection:
                await connection.execute(update(column.table).values({column: datetime.now(UTC) - by}))

        call(client, write)

    return shift


def goes_to(answer: Any) -> tuple[str, dict[str, str]]:
    """The page of ours that a browser is sent to, and the request that goes along."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    assert parts.netloc == ""
    return parts.path, dict(parse_qsl(parts.query))


def test_from_nobody_logged_in_to_a_code(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    assert goes_to(shop.authorize()) == ("/auth/login", shop.request())
    browser = log_in(client, auth)
    assert goes_to(shop.authorize()) == ("/auth/consent", shop.request())
    shop.is_allowed(browser)
    answer = shop.authorize()
    assert answer.headers["location"].startswith(f"{REDIRECT_URI}?code=wwa_")
    told = answer_of(answer)
    assert told == {"code": told["code"], "state": "a state", "iss": ISSUER}
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "access-control-allow-origin" not in answer.headers
    assert shop.code() != told["code"]


@on_both
def test_through_the_pages_from_a_browser_that_nobody_knows_to_tokens(client: Client, shop: ThirdParty) -> None:
    asked = {"scope": "openid orders:read", "prompt": "login consent", "max_age": "0"}
    path, request = goes_to(shop.authorize(**asked))
    answer = pages.log_in(client, query=f"?{urlencode(request)}")
    path, request = goes_to(client.get(next_of(answer), follow_redirects=False))
    assert path == "/auth/consent"
    at = f"{path}?{urlencode(request)}"
    denied = urlsplit(next_of(pages.send(client, at, answer="deny")))
    assert (denied.netloc, dict(parse_qsl(denied.query))["error"]) == ("shop.example", "access_denied")
    answer = pages.send(client, at, answer="allow")
    told = answer_of(client.get(next_of(answer), follow_redirects=False))
    tokens = shop.redeem(told["code"]).json()
    assert tokens["scope"] == "openid orders:read"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/orders", headers=bearer).status_code == 200
    pages.send(client, "/auth/account", at="/auth/account/logout")
    assert client.get("/orders", headers=bearer).status_code == 401
    assert goes_to(shop.authorize())[0] == "/auth/login"


def next_of(step: Any) -> str:
    """Where a page of ours leads by itself."""
    assert step.status_code == 200, step.text
    found = re.search(r'url=([^"]+)"', unescape(step.text))
    assert found is not None
    return found[1]


def test_a_form_is_taken_as_a_query_is(client: Client, shop: ThirdParty) -> None:
    answer = client.post("/auth/authorize", data=shop.request(), follow_redirects=False)
    assert goes_to(answer) == ("/auth/authorize", shop.request())


def test_a_query_in_the_redirect_uri_stays(client: Client, auth: Watchword[Any]) -> None:
    uri = "https://shop.example/callback?of=us"
    shop = ThirdParty(client, auth, redirect_uris=[uri])
    shop.is_allowed(log_in(client, auth), redirect_uri=uri)
    answer = shop.authorize(redirect_uri=uri, state=None)
    assert answer.headers["location"].startswith(f"{uri}&code=")
    assert answer_of(answer).keys() == {"of", "code", "iss"}


_WRONG: tuple[tuple[dict[str, str | None], str], ...] = (
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "form_post"}, "invalid_request"),
    ({"nonce": "n" * 256}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "soon"}, "invalid_request"),
    ({"claims": "{"}, "invalid_request"),
    ({"claims": "[]"}, "invalid_request"),
    ({"claims": '{"id_token": "email"}'}, "invalid_request"),
    ({"claims": "[" * 2000}, "invalid_request"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://shop.example/request"}, "request_uri_not_supported"),
    ({"resource": "https://elsewhere.example"}, "invalid_target"),
    ({"scope": "nonsense"}, "invalid_scope"),
    ({"scope": "admin"}, "invalid_scope"),
)


def test_what_is_asked_wrongly_is_told_to_the_client(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    log_in(client, auth)
    for changes, error in _WRONG:
        told = answer_of(shop.authorize(**changes))
        assert (told["error"], told["state"], told["iss"]) == (error, "a state", ISSUER), changes
        assert told.keys() == {"error", "error_description", "state", "iss"}


def test_members_of_claims_that_are_not_understood_are_ignored(
    client: Client, shop: ThirdParty, auth: Watchword[Any]
) -> None:
    """OpenID Connect Core §5.5."""
    shop.is_allowed(log_in(client, auth))
    asked = {"claims": '{"id_token": {"email": null}, "verified_claims": true, "novel": [1]}'}
    assert "code" in answer_of(shop.authorize(**asked))


def test_why_a_client_was_refused_is_in_the_log(
    client: Client, shop: ThirdParty, auth: Watchword[Any], caplog: pytest.LogCaptureFixture
) -> None:
    log_in(client, auth)
    caplog.set_level(logging.INFO, "watchword")
    shop.authorize(scope="nonsense")
    assert f"sent back to client {shop.id}: invalid_scope (1 unknown scopes were requested)" in caplog.text


def test_what_is_unknown_or_only_for_pages_is_carried_and_ignored(
    client: Client, shop: ThirdParty, auth: Watchword[Any]
) -> None:
    extra = {"login_hint": "alice@example.com", "ui_locales": "de", "display": "popup", "novel": "☃\r\nX: y"}
    assert goes_to(shop.authorize(**extra)) == ("/auth/login", shop.request(**extra))
    shop.is_allowed(log_in(client, auth))
    assert "code" in answer_of(shop.authorize(**extra))


def test_a_client_without_codes_is_told_so(client: Client, auth: Watchword[Any]) -> None:
    service = ThirdParty(client, auth, grants=["client_credentials"])
    assert answer_of(service.authorize())["error"] == "unauthorized_client"
    assert service.redeem("wwa_").json()["error"] == "unauthorized_client"


def test_a_disabled_client_gets_nobody_sent(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    shop.is_allowed(log_in(client, auth))
    call(client, auth.clients.disable, shop.id)
    answer = shop.authorize()
    assert (answer.status_code, "location" in answer.headers) == (400, False)


class TestWithoutAPage:
    def test_nobody_is_logged_in(self, shop: ThirdParty) -> None:
        assert answer_of(shop.authorize(prompt="none"))["error"] == "login_required"

    def test_nobody_was_asked(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        browser = log_in(client, auth)
        assert answer_of(shop.authorize(prompt="none"))["error"] == "consent_required"
        shop.is_allowed(browser)
        assert "code" in answer_of(shop.authorize(prompt="none"))

    def test_the_login_is_too_old(self, client: Client, shop: ThirdParty, auth: Watchword[Any], age: Age) -> None:
        shop.is_allowed(log_in(client, auth))
        age(browser_session.c.auth_time, timedelta(minutes=10))
        assert answer_of(shop.authorize(prompt="none", max_age="300"))["error"] == "login_required"
        assert "code" in answer_of(shop.authorize(prompt="none", max_age="900"))


class TestLoggingInAgain:
    def test_it_is_asked_for_once(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        shop.is_allowed(log_in(client, auth))
        for asked in ({"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}):
            path, request = goes_to(shop.authorize(**asked))
            assert (path, request) == ("/auth/login", shop.request(**asked))
            answer = client.get("/auth/authorize", params=after_login(request), follow_redirects=False)
            assert "code" in answer_of(answer)

    def test_after_too_long(self, client: Client, shop: ThirdParty, auth: Watchword[Any], age: Age) -> None:
        shop.is_allowed(log_in(client, auth))
        age(browser_session.c.auth_time, timedelta(minutes=10))
        assert goes_to(shop.authorize(max_age="300"))[0] == "/auth/login"
        log_in(client, auth)
        assert "code" in answer_of(shop.authorize(max_age="300"))

    def test_what_else_is_to_be_shown_stays(self) -> None:
        request = {"prompt": "login consent", "max_age": "300", "state": "s"}
        assert after_login(request) == {"prompt": "consent", "max_age": "300", "state": "s"}
        assert after_login({"max_age": "00"}) == {}
        assert after_consent(after_login(request)) == {"max_age": "300", "state": "s"}


class TestTheSecondFactor:
    @pytest.fixture
    def has_factor(self, client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> None:
        async def enrol() -> None:
            async with auth.open_session.storage.transaction() as stores:
                await stores.users.set_second_factor(UUID(alice["id"]), confirmed=True)

        call(client, enrol)

    @pytest.mark.usefixtures("has_factor")
    def test_it_is_asked_for_where_there_is_one(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        shop.is_allowed(log_in(client, auth))
        assert "code" in answer_of(shop.authorize())
        assert goes_to(shop.authorize(acr_values="loa1 mfa"))[0] == "/auth/login"
        assert answer_of(shop.authorize(acr_values="mfa", prompt="none"))["error"] == "interaction_required"
        log_in(client, auth, amr=("pwd", "otp", "mfa"))
        tokens = shop.redeem(shop.code(acr_values="mfa")).json()
        assert claims_of(tokens["access_token"])["acr"] == "mfa"

    def test_nobody_is_kept_out_for_having_none(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        shop.is_allowed(log_in(client, auth))
        assert "code" in answer_of(shop.authorize(acr_values="mfa"))
        wished = '{"id_token": {"acr": {"values": ["mfa"]}}}'
        assert "code" in answer_of(shop.authorize(claims=wished))

    @pytest.mark.parametrize("wanted", ['"value": "mfa"', '"values": ["loa2", "mfa"]'])
    def test_as_an_essential_claim_it_has_to_be_there(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], wanted: str
    ) -> None:
        claims = f'{{"id_token": {{"acr": {{"essential": true, {wanted}}}}}}}'
        shop.is_allowed(log_in(client, auth))
        assert answer_of(shop.authorize(claims=claims))["error"] == "unmet_authentication_requirements"
        log_in(client, auth, amr=("pwd", "otp", "mfa"))
        assert "code" in answer_of(shop.authorize(claims=claims))

    @pytest.mark.usefixtures("has_factor")
    def test_who_has_it_is_asked_for_an_essential_one(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any]
    ) -> None:
        claims = '{"id_token": {"acr": {"essential": true, "values": ["mfa"]}}}'
        shop.is_allowed(log_in(client, auth))
        assert goes_to(shop.authorize(claims=claims))[0] == "/auth/login"
        assert answer_of(shop.authorize(claims=claims, prompt="none"))["error"] == "interaction_required"

    def test_an_essential_one_that_there_is_not_is_refused_before_anybody_logs_in(self, shop: ThirdParty) -> None:
        claims = '{"id_token": {"acr": {"essential": true, "values": ["loa4"]}}}'
        assert answer_of(shop.authorize(claims=claims))["error"] == "unmet_authentication_requirements"


def test_an_answer_that_is_to_be_about_one_user_is_about_no_other(
    client: Client, alice: dict[str, Any], shop: ThirdParty, auth: Watchword[Any]
) -> None:
    def claims(*subjects: str) -> str:
        wanted = {"value": subjects[0]} if len(subjects) == 1 else {"values": subjects}
        return json.dumps({"id_token": {"sub": wanted}})

    nobody = str(UUID(int=0))
    shop.is_allowed(log_in(client, auth))
    for subjects in ([alice["id"]], [nobody, alice["id"]]):
        assert "code" in answer_of(shop.authorize(claims=claims(*subjects)))
    for prompt in (None, "none"):
        assert answer_of(shop.authorize(claims=claims(nobody), prompt=prompt))["error"] == "login_required"
    assert goes_to(shop.authorize(claims=claims(nobody), prompt="login"))[0] == "/auth/login"


@pytest.mark.parametrize("claims", ['{"id_token": {"sub": 1}}', '{"id_token": {"acr": ["mfa"]}}'])
def test_claims_that_are_no_objects_are_malformed(shop: ThirdParty, claims: str) -> None:
    assert answer_of(shop.authorize(claims=claims))["error"] == "invalid_request"


def test_a_request_that_our_pages_could_not_carry_is_refused_at_once(client: Client, shop: ThirdParty) -> None:
    short = urlencode(shop.request(state=None))
    answer = client.get(f"/auth/authorize?{short}&state={'/' * 4000}", follow_redirects=False)
    assert answer.status_code == 400
    assert (
        goes_to(client.get(f"/auth/authorize?{short}&state={'/' * 1000}", follow_redirects=False))[0] == "/auth/login"
    )


class TestScopes:
    def test_a_client_gets_what_it_may_have_of_what_its_user_may_do(self, client: Client, auth: Watchword[Any]) -> None:
        shop = ThirdParty(client, auth, scopes=["openid", "orders:read"])
        browser = log_in(client, auth)
        told = shop.tokens(browser, scope="openid email orders:read orders:write offline_access")
        assert told["scope"] == "openid orders:read"

    def test_all_of_it_where_nothing_is_named(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        told = shop.tokens(log_in(client, auth), scope=None)
        assert told["scope"] == "email openid orders:read orders:write", "offline_access is for those who ask"

    def test_working_offline_takes_refresh_tokens(self, client: Client, auth: Watchword[Any]) -> None:
        shop = ThirdParty(client, auth, grants=["authorization_code"])
        told = shop.tokens(log_in(client, auth), scope="openid offline_access")
        assert (told["scope"], "refresh_token" in told) == ("openid", False)

    def test_admin_is_for_the_first_party_alone(
        self, client: Client, alice: dict[str, Any], auth: Watchword[Any]
    ) -> None:
        call(client, auth.roles.create, "boss", scopes=["admin"])
        call(client, auth.roles.give, UUID(alice["id"]), "boss")
        browser = log_in(client, auth)
        stranger = ThirdParty(client, auth, scopes=["admin", "openid"])
        assert stranger.tokens(browser, scope="admin openid")["scope"] == "openid"
        ours = ThirdParty(client, auth, scopes=["admin", "openid"], is_first_party=True)
        assert ours.redeem(ours.code(scope="admin openid")).json()["scope"] == "admin openid"
        assert ours.redeem(ours.code(scope=None)).json()["scope"] == "openid"


class TestConsent:
    def test_it_is_remembered_and_asked_again_for_more(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], age: Age
    ) -> None:
        browser = log_in(client, auth)
        shop.is_allowed(browser, scope="orders:read")
        age(consent.c.updated_at, timedelta(days=400))
        assert "code" in answer_of(shop.authorize(scope="orders:read"))
        assert goes_to(shop.authorize(scope="orders:read orders:write"))[0] == "/auth/consent"
        shop.is_allowed(browser, scope="orders:write")
        assert "code" in answer_of(shop.authorize(scope="orders:read orders:write"))

    def test_it_is_asked_again_on_demand(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        shop.is_allowed(log_in(client, auth))
        path, request = goes_to(shop.authorize(prompt="consent"))
        assert path == "/auth/consent"
        answer = client.get("/auth/authorize", params=after_consent(request), follow_redirects=False)
        assert "code" in answer_of(answer)

    def test_it_is_everybodys_own(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        client.sign_up("bob@example.com")
        shop.is_allowed(log_in(client, auth))
        log_in(client, auth, email="bob@example.com")
        assert goes_to(shop.authorize())[0] == "/auth/consent"

    def test_the_hosts_own_app_need_not_ask_where_https_tells_that_it_is(
        self, client: Client, auth: Watchword[Any]
    ) -> None:
        loopback = "http://127.0.0.1/callback"
        ours = ThirdParty(client, auth, redirect_uris=[REDIRECT_URI, loopback], is_first_party=True, auth_method="none")
        log_in(client, auth)
        assert "code" in answer_of(ours.authorize(prompt="none"))
        assert goes_to(ours.authorize(redirect_uri=loopback))[0] == "/auth/consent"

    @on_both
    def test_an_address_that_is_too_long_with_its_port_is_none(self, client: Client, auth: Watchword[Any]) -> None:
        longest = "http://127.0.0.1/".ljust(2000, "x")
        shop = ThirdParty(client, auth, redirect_uris=[longest], auth_method="none")
        browser = log_in(client, auth)
        shop.is_allowed(browser, redirect_uri=longest)
        assert "code" in answer_of(shop.authorize(redirect_uri=longest))
        assert shop.authorize(redirect_uri=longest.replace(".1/", ".1:65535/")).status_code == 400

    @pytest.mark.parametrize("uri", ["http://127.0.0.1/callback", "com.example.shop:/callback"])
    def test_an_app_on_the_users_machine_asks_each_time(
        self, client: Client, auth: Watchword[Any], age: Age, uri: str
    ) -> None:
        app = ThirdParty(client, auth, redirect_uris=[uri], auth_method="none")
        app.is_allowed(log_in(client, auth), redirect_uri=uri)
        assert "code" in answer_of(app.authorize(redirect_uri=uri))
        age(consent.c.updated_at, timedelta(minutes=2))
        assert goes_to(app.authorize(redirect_uri=uri))[0] == "/auth/consent"

    def test_what_is_asked(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        browser = log_in(client, auth)
        request = shop.request(scope="orders:read openid")
        question = call(client, auth.use_cases.authorize.question, request, browser)
        assert question.client.id == shop.id
        assert question.scopes == {"openid": "Know who you are", "orders:read": SCOPES["orders:read"]}
        assert question.redirect_host == "shop.example"

    def test_a_no_is_told(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        denied = call(client, auth.use_cases.authorize.denied, shop.request())
        told = dict(parse_qsl(urlsplit(denied.uri).query))
        assert (told["error"], told["state"], told["iss"]) == ("access_denied", "a state", ISSUER)


class TestHints:
    def test_an_id_token_says_whose_login_is_meant(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any]
    ) -> None:
        hint = shop.tokens(log_in(client, auth), scope="openid")["id_token"]
        assert "code" in answer_of(shop.authorize(id_token_hint=hint, prompt="none", scope="openid"))
        client.sign_up("bob@example.com")
        log_in(client, auth, email="bob@example.com")
        assert answer_of(shop.authorize(id_token_hint=hint))["error"] == "login_required"

    def test_another_clients_is_none(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        hint = shop.tokens(log_in(client, auth), scope="openid")["id_token"]
        answer = ThirdParty(client, auth).authorize(id_token_hint=hint)
        assert (answer.status_code, "location" in answer.headers) == (400, False)


class TestNativeApps:
    @pytest.fixture
    def app(self, client: Client, auth: Watchword[Any]) -> ThirdParty:
        uris = ["http://127.0.0.1/callback", "http://[::1]:7000/callback?a=b", "http://localhost:7000/callback"]
        return ThirdParty(client, auth, redirect_uris=uris, auth_method="none")

    def test_any_port_of_a_loopback_address_will_do(
        self, client: Client, app: ThirdParty, auth: Watchword[Any]
    ) -> None:
        browser = log_in(client, auth)
        for uri in ("http://127.0.0.1:51234/callback", "http://127.0.0.1/callback", "http://[::1]:1/callback?a=b"):
            app.is_allowed(browser, redirect_uri=uri)
            code = app.code(redirect_uri=uri)
            assert app.redeem(code, redirect_uri=uri.replace("callback", "other")).status_code == 400
            assert app.redeem(code, redirect_uri=uri).status_code == 200

    def test_nothing_else_about_it_may_differ(self, app: ThirdParty) -> None:
        for uri in (
            "http://localhost:7001/callback",
            "http://127.0.0.1:51234/callback/",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:123456/callback",
            "http://127.0.0.2:51234/callback",
            "http://[::1]:7000/callback",
            "https://127.0.0.1:51234/callback",
            "http://127.0.0.1:1@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
        ):
            answer = app.authorize(redirect_uri=uri)
            assert (answer.status_code, "location" in answer.headers) == (400, False), uri

    def test_the_port_of_a_server_is_its_own(self, client: Client, auth: Watchword[Any]) -> None:
        server = ThirdParty(client, auth, redirect_uris=["http://127.0.0.1:7000/callback"])
        assert server.authorize(redirect_uri="http://127.0.0.1:7001/callback").status_code == 400
        assert server.authorize(redirect_uri="http://127.0.0.1:7000/callback").status_code == 303


class TestWithoutPages:
    @pytest.fixture
    def auth(self, sqlite_url: str) -> Watchword[Any]:
        return Watchword(make_settings(sqlite_url, pages=False), scopes=SCOPES)

    def test_there_are_no_codes(self, client: Client) -> None:
        assert client.get("/auth/authorize").status_code == 404
        assert client.get("/auth/consents").status_code == 404
        answer = client.post("/auth/token", data={"grant_type": "authorization_code", "code": "wwa_"})
        assert answer.json()["error"] == "unsupported_grant_type"


def test_an_endless_request_is_not_carried_along(shop: ThirdParty) -> None:
    answer = shop.authorize(novel="x" * 9000)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    answer = shop.authorize(state="x" * 5000)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
