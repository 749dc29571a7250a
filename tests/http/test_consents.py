"""What users allow clients: given, listed, exported, and taken back, in whatever moment."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import Client, on_both
from tests.http.clients import call
from tests.third_parties import VERIFIER, ThirdParty, log_in

from watchword import NotFound, Watchword
from watchword.events import ConsentGranted, ConsentRevoked, Event, SessionEnded
from watchword.grants import Parameters
from watchword.model import ConsentQuestion, Device

pytestmark = pytest.mark.usefixtures("alice")


@pytest.fixture
def shop(client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth)


@pytest.fixture
def seen(auth: Watchword[Any]) -> list[Event]:
    seen: list[Event] = []
    auth.on(Event, seen.append)
    return seen


def consents(client: Client, headers: dict[str, str], **query: Any) -> Any:
    return client.get("/auth/consents", params=query, headers=headers).json()


@on_both
def test_what_was_allowed_is_listed_and_exported(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any], seen: list[Event]
) -> None:
    headers = client.log_in()
    assert consents(client, headers) == {"items": [], "next": None}
    browser = log_in(client, auth)
    shop.is_allowed(browser, scope="orders:write")
    shop.is_allowed(browser, scope="openid")
    (item,) = consents(client, headers)["items"]
    assert (item["client_id"], item["client_name"]) == (shop.id, "A service")
    assert item["scopes"] == ["openid", "orders:write"]
    assert item["updated_at"] > item["created_at"]
    assert client.get("/auth/me/export", headers=headers).json()["consents"] == [item]
    granted = [event for event in seen if isinstance(event, ConsentGranted)]
    assert [(str(event.user_id), event.client_id, event.scopes) for event in granted] == [
        (alice["id"], shop.id, ("orders:write",)),
        (alice["id"], shop.id, ("openid",)),
    ]


def test_they_come_in_pages_and_are_everybodys_own(client: Client, auth: Watchword[Any]) -> None:
    browser = log_in(client, auth)
    shops = sorted((ThirdParty(client, auth) for _ in range(3)), key=lambda shop: shop.id)
    for shop in shops:
        shop.is_allowed(browser)
    headers = client.log_in()
    first = consents(client, headers, limit=2)
    assert [item["client_id"] for item in first["items"]] == [shop.id for shop in shops[:2]]
    rest = consents(client, headers, limit=2, after=first["next"])
    assert ([item["client_id"] for item in rest["items"]], rest["next"]) == ([shops[2].id], None)
    client.sign_up("bob@example.com")
    bob = client.log_in("bob@example.com")
    assert consents(client, bob)["items"] == []
    assert client.delete(f"/auth/consents/{shops[0].id}", headers=bob).status_code == 404


@on_both
def test_taking_it_back_ends_what_the_client_has(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any], seen: list[Event]
) -> None:
    browser = log_in(client, auth)
    tokens = shop.tokens(browser)
    offline = shop.tokens(browser, scope="orders:read offline_access")
    code = shop.code()
    other = ThirdParty(client, auth).tokens(browser)
    headers = client.log_in()
    seen.clear()
    assert client.delete(f"/auth/consents/{shop.id}", headers=headers).status_code == 204
    assert [type(event) for event in seen] == [ConsentRevoked, SessionEnded, SessionEnded]
    (told, _, _) = seen
    assert isinstance(told, ConsentRevoked)
    assert (told.scopes, told.device.address) == (("offline_access", "orders:read"), "testclient")
    for gone in (tokens, offline):
        bearer = {"Authorization": f"Bearer {gone['access_token']}"}
        assert client.get("/orders", headers=bearer).status_code == 401
        assert shop.refresh(gone["refresh_token"]).status_code == 400
    assert shop.redeem(code).json()["error"] == "invalid_grant"
    assert shop.authorize().headers["location"].startswith("/auth/consent?")
    bearer = {"Authorization": f"Bearer {other['access_token']}"}
    assert client.get("/orders", headers=bearer).status_code == 200
    assert client.get("/auth/me", headers=headers).status_code == 200
    again = client.delete(f"/auth/consents/{shop.id}", headers=headers)
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


def test_third_parties_cannot_see_or_take_back_consents(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    bearer = {"Authorization": f"Bearer {shop.tokens(log_in(client, auth))['access_token']}"}
    assert client.get("/auth/consents", headers=bearer).status_code == 403
    assert client.delete(f"/auth/consents/{shop.id}", headers=bearer).status_code == 403


def test_a_yes_that_comes_too_late_is_kept_nowhere(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
) -> None:
    browser = log_in(client, auth)
    question = call(client, auth.use_cases.authorize.question, shop.request(), browser)
    call(client, auth.clients.delete, shop.id)
    with pytest.raises(NotFound):
        call(client, auth.use_cases.manage_consents.grant, UUID(alice["id"]), question)


@on_both
def test_two_that_are_given_at_once_are_both_kept(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
) -> None:
    user_id, names = UUID(alice["id"]), [f"scope:{number}" for number in range(8)]
    manage = auth.use_cases.manage_consents

    async def give() -> None:
        questions = [ConsentQuestion(shop.client, {name: ""}, "shop.example") for name in names]
        await asyncio.gather(*(manage.grant(user_id, question) for question in questions))

    call(client, give)
    (kept,) = call(client, manage.page, user_id)
    assert kept.scopes == set(names)


@on_both
def test_taken_back_while_codes_are_redeemed_nothing_is_left(
    client: Client, shop: ThirdParty, auth: Watchword[Any], alice: dict[str, Any]
) -> None:
    user_id, headers = UUID(alice["id"]), client.log_in()
    browser = log_in(client, auth)
    shop.is_allowed(browser)
    parameters = {"redirect_uri": shop.request()["redirect_uri"]}
    codes = [shop.code() for _ in range(8)]
    grant = auth.use_cases.grants["authorization_code"]

    async def race() -> list[Any]:
        redeemed = [
            grant(shop.client, Parameters({**parameters, "code": code, "code_verifier": VERIFIER}), Device())
            for code in codes
        ]
        revoked = auth.use_cases.manage_consents.revoke(user_id, shop.id)
        return await asyncio.gather(*redeemed[:4], revoked, *redeemed[4:], return_exceptions=True)

    outcomes = call(client, race)
    assert outcomes[4] is None, "it was taken back"
    devices = client.get("/auth/sessions", headers=headers).json()["items"]
    assert [item for item in devices if item["client_id"] == shop.id] == []
    for outcome in outcomes[:4] + outcomes[5:]:
        if not isinstance(outcome, Exception):
            bearer = {"Authorization": f"Bearer {outcome.access_token}"}
            assert client.get("/orders", headers=bearer).status_code == 401
