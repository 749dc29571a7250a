"""The authorization code grant: what a code gives, to whom, and until when."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from tests.conftest import PASSWORD, Client, on_both
from tests.http.clients import Service, call, claims_of
from tests.third_parties import BROWSER, ThirdParty, answer_of, log_in

from watchword import Watchword
from watchword.events import ClientDeleted, CodeRefused, CodeReused, Event, LoggedIn, SessionEnded
from watchword.flows.prune import Prune
from watchword.storage.tables import authorization_code, browser_session

pytestmark = pytest.mark.usefixtures("alice")
RESOURCE = "https://api.example/v1"

Write = Callable[[Any], None]


@pytest.fixture
def shop(client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth)


@pytest.fixture
def write(client: Client, auth: Watchword[Any]) -> Write:
    """Change what is stored, as if time had passed."""

    async def run(statement: Any) -> None:
        async with auth.open_session.storage.connection(writes=True) as connection:
            await connection.execute(statement)

    return lambda statement: call(client, run, statement)


@pytest.fixture
def seen(auth: Watchword[Any]) -> list[Event]:
    seen: list[Event] = []
    auth.on(Event, seen.append)
    return seen


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


@on_both
def test_a_code_gives_the_tokens_of_a_login_at_our_pages(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any], seen: list[Event]
) -> None:
    browser = log_in(client, auth, amr=("pwd", "otp", "mfa"))
    shop.is_allowed(browser, scope="openid orders:read")
    seen.clear()
    answer = shop.redeem(shop.code(scope="openid orders:read", nonce="once"))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    tokens = answer.json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"}
    claims = claims_of(tokens["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (alice["id"], shop.id, "openid orders:read")
    assert (claims["amr"], claims["auth_time"]) == (["pwd", "otp", "mfa"], int(browser.auth_time.timestamp()))
    assert claims_of(tokens["id_token"])["nonce"] == "once"
    assert client.get("/orders", headers=bearer(tokens)).status_code == 200
    assert client.get("/mine", headers=bearer(tokens)).status_code == 403, "CurrentUser is for the app's own logins"
    (told,) = seen
    assert isinstance(told, LoggedIn)
    assert (told.client_id, told.device, told.amr) == (shop.id, BROWSER, ("pwd", "otp", "mfa"))
    devices = client.get("/auth/sessions", headers=client.log_in()).json()["items"]
    assert [item["user_agent"] for item in devices if item["client_id"] == shop.id] == ["a browser"]


@on_both
def test_such_a_session_is_refreshed(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    browser = log_in(client, auth)
    tokens = shop.tokens(browser, scope="openid orders:read orders:write", nonce="once")
    fresh = shop.refresh(tokens["refresh_token"]).json()
    assert fresh["scope"] == "openid orders:read orders:write"
    claims = claims_of(fresh["access_token"])
    assert claims["auth_time"] == int(browser.auth_time.timestamp())
    assert claims_of(fresh["id_token"])["sid"] == claims["sid"]
    assert "nonce" not in claims_of(fresh["id_token"])
    assert shop.refresh(fresh["refresh_token"], scope="orders:write").json()["scope"] == "orders:write"


def test_a_client_that_may_do_less_now_gets_less(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="openid orders:read orders:write")
    call(client, auth.clients.change, shop.id, scopes=["openid", "orders:write"])
    assert client.get("/orders", headers=bearer(tokens)).status_code == 403
    assert shop.refresh(tokens["refresh_token"]).json()["scope"] == "openid orders:write"


def test_without_the_refresh_grant_there_is_no_refresh_token(client: Client, auth: Watchword[Any]) -> None:
    shop = ThirdParty(client, auth, grants=["authorization_code"])
    tokens = shop.tokens(log_in(client, auth))
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert client.get("/orders", headers=bearer(tokens)).status_code == 200
    assert shop.post("/auth/revoke", {"token": tokens["access_token"]}).status_code == 200
    assert client.get("/orders", headers=bearer(tokens)).status_code == 401


def test_every_way_of_client_authentication_will_do(client: Client, auth: Watchword[Any]) -> None:
    browser = log_in(client, auth)
    for method in ("client_secret_basic", "client_secret_post", "none"):
        shop = ThirdParty(client, auth, auth_method=method)
        code = shop.tokens(browser)["refresh_token"]
        assert shop.refresh(code).status_code == 200
        fresh = shop.code()
        wrong = shop.post(
            "/auth/token", {"grant_type": "authorization_code", "code": fresh}, data={"client_id": shop.id + "x"}
        )
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


class TestWhatIsMissing:
    def test_each_parameter_is_required(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        shop.is_allowed(log_in(client, auth))
        code = shop.code()
        for name in ("code", "redirect_uri", "code_verifier"):
            answer = shop.redeem(code, **{name: ""}) if name != "code" else shop.redeem("")
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), name
        assert shop.redeem(code).status_code == 200


class TestEndings:
    @on_both
    def test_logging_out_at_our_pages_ends_it(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], seen: list[Event]
    ) -> None:
        browser = log_in(client, auth)
        tokens, code = shop.tokens(browser), shop.code()
        offline = shop.tokens(browser, scope="orders:read offline_access")
        seen.clear()
        call(client, auth.use_cases.end_browser_session, browser.user_id, [browser.id])
        assert [type(event) for event in seen] == [SessionEnded]
        assert client.get("/orders", headers=bearer(tokens)).status_code == 401
        assert shop.refresh(tokens["refresh_token"]).status_code == 400
        assert shop.redeem(code).json()["error"] == "invalid_grant"
        assert client.get("/orders", headers=bearer(offline)).status_code == 200
        assert shop.refresh(offline["refresh_token"]).status_code == 200

    @pytest.mark.parametrize("end", ["idle_expires_at", "expires_at"])
    @on_both
    def test_a_login_at_our_pages_that_expires_ends_it_too(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], write: Write, end: str
    ) -> None:
        browser = log_in(client, auth)
        tokens, code = shop.tokens(browser), shop.code()
        offline = shop.tokens(browser, scope="orders:read offline_access")
        write(update(browser_session).values({end: datetime.now(UTC) - timedelta(seconds=5)}))
        assert shop.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert shop.redeem(code).json()["error"] == "invalid_grant"
        assert shop.refresh(offline["refresh_token"]).status_code == 200

    @on_both
    def test_a_code_ends_with_what_its_user_was(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
    ) -> None:
        own, alice_id = client.log_in(), UUID(alice["id"])
        log_in(client, auth)
        for end in (
            lambda: client.delete("/auth/sessions?everywhere=true", headers=own),
            lambda: (call(client, auth.users.disable, alice_id), call(client, auth.users.enable, alice_id)),
        ):
            shop.is_allowed(log_in(client, auth))
            code = shop.code()
            end()
            assert shop.redeem(code).json()["error"] == "invalid_grant"
        shop.is_allowed(log_in(client, auth))
        code = shop.code()
        call(client, auth.users.delete, alice_id)
        assert shop.redeem(code).json()["error"] == "invalid_grant"

    @on_both
    def test_disabling_or_deleting_the_client_voids_codes_and_sessions(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], seen: list[Event]
    ) -> None:
        tokens = shop.tokens(log_in(client, auth))
        code = shop.code()
        call(client, auth.clients.disable, shop.id)
        assert client.get("/orders", headers=bearer(tokens)).status_code == 401
        assert shop.redeem(code).json()["error"] == "invalid_client"
        call(client, auth.clients.enable, shop.id)
        call(client, auth.clients.delete, shop.id)
        assert isinstance(seen[-1], ClientDeleted)
        assert client.get("/orders", headers=bearer(tokens)).status_code == 401
        assert shop.redeem(code).json()["error"] == "invalid_client"

    def test_a_role_that_was_taken_is_missed_at_once(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
    ) -> None:
        tokens = shop.tokens(log_in(client, auth), scope="openid orders:read")
        (role,) = alice["roles"]
        call(client, auth.roles.take, UUID(alice["id"]), role)
        assert client.get("/orders", headers=bearer(tokens)).status_code == 403
        assert shop.refresh(tokens["refresh_token"]).json()["scope"] == "openid"

    def test_a_role_that_was_taken_meanwhile_is_in_no_token(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
    ) -> None:
        wanted = {"scope": "openid orders:read"}
        shop.is_allowed(log_in(client, auth), **wanted)
        code = shop.code(**wanted)
        (role,) = alice["roles"]
        call(client, auth.roles.take, UUID(alice["id"]), role)
        assert shop.redeem(code).json()["scope"] == "openid"


class TestOtherResources:
    @pytest.fixture
    def shop(self, client: Client, auth: Watchword[Any]) -> ThirdParty:
        return ThirdParty(client, auth, resources=[RESOURCE])

    @on_both
    def test_a_token_for_elsewhere_opens_nothing_here(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any]
    ) -> None:
        browser = log_in(client, auth)
        shop.is_allowed(browser)
        code = shop.code(resource=RESOURCE)
        assert shop.redeem(code, resource="https://api.example").json()["error"] == "invalid_target"
        tokens = shop.redeem(code, resource=RESOURCE).json()
        assert claims_of(tokens["access_token"])["aud"] == RESOURCE
        assert shop.refresh(tokens["refresh_token"], resource="https://api.example").json()["error"] == "invalid_target"
        fresh = shop.refresh(tokens["refresh_token"], resource=RESOURCE).json()
        assert claims_of(fresh["access_token"])["aud"] == RESOURCE
        for token in (tokens, fresh):
            answer = client.get("/orders", headers=bearer(token))
            assert (answer.status_code, "invalid_token" in answer.headers["www-authenticate"]) == (401, True)

    def test_its_client_can_ask_about_it_and_revoke_it(
        self, client: Client, shop: ThirdParty, auth: Watchword[Any]
    ) -> None:
        browser = log_in(client, auth)
        shop.is_allowed(browser)
        token = {"token": shop.redeem(shop.code(resource=RESOURCE)).json()["access_token"]}
        told = shop.post("/auth/introspect", token).json()
        assert (told["active"], told["aud"], told["client_id"]) == (True, RESOURCE, shop.id)
        other = Service(client, auth)
        assert other.post("/auth/introspect", token).json() == {"active": False}
        assert other.post("/auth/revoke", token).status_code == 400
        assert shop.post("/auth/revoke", token).status_code == 200
        assert shop.post("/auth/introspect", token).json() == {"active": False}

    def test_one_at_a_time(self, client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
        log_in(client, auth)
        two = [*shop.request(resource=RESOURCE).items(), ("resource", "https://other.example")]
        answer = client.get("/auth/authorize", params=two, follow_redirects=False)  # type: ignore[arg-type]
        assert answer_of(answer)["error"] == "invalid_target"


def test_what_a_code_was_refused_for_is_told_to_operators_alone(
    client: Client, shop: ThirdParty, auth: Watchword[Any], seen: list[Event]
) -> None:
    shop.is_allowed(log_in(client, auth))
    code = shop.code()
    seen.clear()
    answers = [
        shop.redeem("wwa_nonsense"),
        shop.redeem(code, code_verifier="x" * 43),
        shop.redeem(code, redirect_uri="https://shop.example"),
    ]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert all(isinstance(event, CodeRefused) and event.client_id == shop.id for event in seen)
    reasons = [event.reason for event in seen if isinstance(event, CodeRefused)]
    assert (len(set(reasons)), any(code in reason or "wwa_" in reason for reason in reasons)) == (3, False)


@on_both
def test_codes_are_stored_as_digests_and_pruned_when_no_second_use_would_be_told(
    client: Client, shop: ThirdParty, auth: Watchword[Any], write: Write
) -> None:
    shop.is_allowed(log_in(client, auth))
    code = shop.code(nonce="once")
    storage = auth.open_session.storage

    async def rows() -> list[Any]:
        async with storage.connection() as connection:
            return list((await connection.execute(select(authorization_code))).all())

    (row,) = call(client, rows)
    assert code not in repr(row)
    assert code.removeprefix("wwa_") not in repr(row)
    assert timedelta(seconds=60) <= row.expires_at - row.created_at < timedelta(seconds=61)
    prune = Prune(storage, timedelta(days=30))
    write(update(authorization_code).values(expires_at=datetime.now(UTC) - timedelta(minutes=5)))
    assert call(client, prune).authorization_codes == 0
    write(update(authorization_code).values(expires_at=datetime.now(UTC) - timedelta(minutes=11)))
    assert call(client, prune).authorization_codes == 1


def test_a_second_use_is_told(client: Client, shop: ThirdParty, auth: Watchword[Any], seen: list[Event]) -> None:
    shop.is_allowed(log_in(client, auth))
    code = shop.code()
    tokens = shop.redeem(code).json()
    seen.clear()
    assert shop.redeem(code).status_code == 400
    assert shop.redeem(code).status_code == 400
    assert [type(event) for event in seen] == [CodeReused, CodeRefused]
    (reused, _) = seen
    assert isinstance(reused, CodeReused)
    assert str(reused.session_id) == claims_of(tokens["access_token"])["sid"]


def test_using_our_pages_keeps_their_login_alive(
    client: Client, shop: ThirdParty, auth: Watchword[Any], write: Write
) -> None:
    shop.is_allowed(log_in(client, auth))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    write(update(browser_session).values(idle_expires_at=soon, last_used_at=datetime.now(UTC) - timedelta(hours=2)))
    shop.code()

    async def ends_at() -> Any:
        async with auth.open_session.storage.connection() as connection:
            return (await connection.execute(select(func.max(browser_session.c.idle_expires_at)))).scalar_one()

    assert call(client, ends_at) > soon + timedelta(hours=23)


def test_a_password_change_ends_what_third_parties_have(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    tokens = shop.tokens(log_in(client, auth), scope="orders:read offline_access")
    body = {"current_password": PASSWORD, "new_password": "another long password"}
    assert client.post("/auth/password/change", json=body, headers=client.log_in()).status_code < 300
    assert client.get("/orders", headers=bearer(tokens)).status_code == 401
    assert shop.refresh(tokens["refresh_token"]).status_code == 400
    assert shop.authorize().headers["location"].startswith("/auth/login")


@on_both
def test_a_login_that_lapses_takes_what_guards_remember_with_it(
    client: Client, shop: ThirdParty, auth: Watchword[Any], write: Write
) -> None:
    browser = log_in(client, auth)
    shop.is_allowed(browser, scope="openid offline_access orders:read")
    write(update(browser_session).values(idle_expires_at=datetime.now(UTC) + timedelta(seconds=2)))
    codes = [shop.code(scope=scope) for scope in ("openid", "openid offline_access")]
    online, offline = (bearer(shop.redeem(code).json()) for code in codes)
    for headers in (online, offline):
        assert client.get("/auth/userinfo", headers=headers).status_code == 200
    time.sleep(2.2)
    assert client.get("/auth/userinfo", headers=online).status_code == 401
    assert client.get("/auth/userinfo", headers=offline).status_code == 200
