"""Where users are asked whether a client may have what it asks for, and where they take it back."""

from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.conftest import EMAIL, SCOPES, Client, make_app, make_settings
from tests.http.pages import another_browser, fields_of, log_in, send, title_of
from tests.third_parties import REDIRECT_URI, VERIFIER, ThirdParty

from watchword import Watchword

QUERY = "/auth/consent?"


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url, product_name="Orchard"), scopes=SCOPES)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        yield client


@pytest.fixture
def shop(client: Client, auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth)


def next_of(page: Any) -> str:
    """Where a page of ours goes on to, by itself."""
    assert page.status_code == 200, page.text
    return unescape(page.text.partition('http-equiv="refresh" content="0;url=')[2].partition('"')[0])


def test_from_the_client_through_our_pages_and_back_with_a_code(client: Client, shop: ThirdParty) -> None:
    asked = shop.authorize(scope="openid email orders:read", nonce="n")
    login = asked.headers["location"]
    assert login.startswith("/auth/login?")
    on = next_of(send(client, login, email=EMAIL, password="correct horse battery staple"))
    consent = client.get(on, follow_redirects=False).headers["location"]
    assert consent.startswith(QUERY)
    page = client.get(consent)
    for told in (
        "Allow A service access?", "Read orders", "See your email address", "Know who you are", "shop.example", EMAIL
    ):  # fmt: skip
        assert told in page.text, told
    assert "orders:write" not in page.text
    on = next_of(send(client, consent, answer="allow"))
    back = client.get(on, follow_redirects=False).headers["location"]
    assert back.startswith(f"{REDIRECT_URI}?")
    told_to_client = dict(parse_qsl(urlsplit(back).query))
    assert told_to_client["state"] == "a state"
    assert shop.redeem(told_to_client["code"], code_verifier=VERIFIER).status_code == 200
    again = shop.authorize(scope="openid email orders:read", nonce="n")
    assert again.headers["location"].startswith(REDIRECT_URI), "nobody is asked twice"


def test_prompt_login_and_consent_are_each_met_once(client: Client, shop: ThirdParty) -> None:
    log_in(client)
    login = shop.authorize(prompt="login consent").headers["location"]
    assert login.startswith("/auth/login?")
    on = next_of(send(client, login, email=EMAIL, password="correct horse battery staple"))
    consent = client.get(on, follow_redirects=False).headers["location"]
    on = next_of(send(client, consent, answer="allow"))
    assert client.get(on, follow_redirects=False).headers["location"].startswith(f"{REDIRECT_URI}?code=")
    consent = shop.authorize(prompt="consent").headers["location"]
    assert consent.startswith(QUERY), "it is asked again, though it was allowed"


def test_a_no_is_told_to_the_client_and_nothing_is_allowed(client: Client, shop: ThirdParty) -> None:
    log_in(client)
    consent = shop.authorize().headers["location"]
    back = next_of(send(client, consent, answer="deny"))
    assert back.startswith(f"{REDIRECT_URI}?error=access_denied")
    assert "state=a+state" in back
    assert shop.authorize().headers["location"] == consent
    assert "No app has access" in client.get("/auth/account/apps").text


def test_an_answer_that_is_none_allows_nothing(client: Client, shop: ThirdParty) -> None:
    log_in(client)
    consent = shop.authorize().headers["location"]
    assert send(client, consent, answer="perhaps").status_code == 400
    assert send(client, consent).status_code == 400
    token = fields_of(client.get(consent))["form_token"]
    with another_browser(client) as other:
        log_in(other)
        stolen = other.post(consent, data={"form_token": token, "answer": "allow"})
        assert stolen.status_code == 403
    assert shop.authorize().headers["location"] == consent


def test_a_consent_is_asked_of_who_is_logged_in(client: Client, shop: ThirdParty) -> None:
    log_in(client)
    consent = shop.authorize().headers["location"]
    with another_browser(client) as other:
        answer = other.get(consent, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, consent.replace("consent", "login"))


@pytest.mark.parametrize(
    "changes", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/callback"}, {"redirect_uri": None}]
)
def test_a_request_that_leads_nowhere_safe_is_a_page(
    client: Client, shop: ThirdParty, changes: dict[str, str | None]
) -> None:
    log_in(client)
    for path in ("authorize", "consent"):
        page = client.get(f"/auth/{path}", params=shop.request(**changes), follow_redirects=False)
        assert (page.status_code, title_of(page)) == (400, "That did not work")
        assert "evil.example" not in page.text
    token = fields_of(client.get("/auth/account"))["form_token"]
    denied = client.post("/auth/consent", params=shop.request(**changes), data={"form_token": token, "answer": "deny"})
    assert (denied.status_code, "evil.example" in denied.text) == (400, False)


def test_what_was_allowed_is_taken_back(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    log_in(client)
    send(client, shop.authorize(scope="openid orders:read").headers["location"], answer="allow")
    tokens = shop.redeem(shop.code(scope="openid orders:read")).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/orders", headers=bearer).status_code == 200
    page = client.get("/auth/account/apps")
    for told in ("A service", "Know who you are", "Read orders"):
        assert told in page.text
    done = send(client, "/auth/account/apps", client_id=shop.id)
    assert "Done" in done.text
    assert "No app has access" in done.text
    assert client.get("/orders", headers=bearer).status_code == 401
    assert send(client, "/auth/account", at="/auth/account/apps", client_id=shop.id).status_code == 404
