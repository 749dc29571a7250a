"""A client logs its user out of our pages (RP-Initiated Logout): who is asked first, and where it leads."""

import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.conftest import Client, on_both
from tests.http.clients import call
from tests.http.pages import fields_of, is_logged_in, title_of
from tests.third_parties import ThirdParty, log_in

from watchword import Watchword
from watchword.events import Event, SessionEnded

BYE = "https://shop.example/bye"
PATH = "/auth/end-session"


@pytest.fixture
def shop(client: Client, alice: dict[str, Any], auth: Watchword[Any]) -> ThirdParty:
    return ThirdParty(client, auth, post_logout_redirect_uris=[BYE, f"{BYE}?from=us"])


@pytest.fixture
def tokens(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> dict[str, Any]:
    return shop.tokens(log_in(client, auth), scope="openid orders:read")


def ask(client: Client, **parameters: str) -> Any:
    return client.get(PATH, params=parameters, follow_redirects=False)


def opens(client: Client, tokens: dict[str, Any]) -> bool:
    answer = client.get("/orders", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    return bool(answer.status_code == 200)


@on_both
def test_with_an_id_token_of_who_is_logged_in_it_is_done_at_once(
    client: Client, shop: ThirdParty, auth: Watchword[Any], tokens: dict[str, Any]
) -> None:
    seen: list[Event] = []
    auth.on(SessionEnded, seen.append)
    assert opens(client, tokens)
    answer = ask(client, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="a&b")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BYE}?state=a%26b")
    assert not is_logged_in(client)
    assert not opens(client, tokens)
    assert len(seen) == 1
    assert shop.refresh(tokens["refresh_token"]).status_code == 400


def test_an_id_token_that_has_expired_says_who_it_was_all_the_same(
    client: Client, auth: Watchword[Any], tokens: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = time.time() + timedelta(hours=5).total_seconds()
    monkeypatch.setattr("time.time", lambda: hours)
    assert ask(client, id_token_hint=tokens["id_token"]).status_code == 303
    assert not is_logged_in(client)


def test_without_one_the_user_is_asked_and_may_stay(client: Client, tokens: dict[str, Any], shop: ThirdParty) -> None:
    query = urlencode({"client_id": shop.id, "post_logout_redirect_uri": BYE, "state": "x"})
    question = client.get(f"{PATH}?{query}")
    assert (question.status_code, title_of(question)) == (200, "Log out?")
    assert is_logged_in(client)
    token = fields_of(question)
    stayed = client.post(f"{PATH}?{query}", data={**token, "answer": "stay"}, follow_redirects=False)
    assert (stayed.status_code, stayed.headers["location"]) == (303, "/auth/account")
    assert is_logged_in(client)
    done = client.post(f"{PATH}?{query}", data={**token, "answer": "logout"}, follow_redirects=False)
    assert done.status_code == 200, "the way on is ours first"
    assert not is_logged_in(client)
    assert not opens(client, tokens)
    on = client.get(f"{PATH}?{query}", follow_redirects=False)
    assert on.headers["location"] == f"{BYE}?state=x"


def test_nobody_elses_form_logs_anybody_out(client: Client, tokens: dict[str, Any]) -> None:
    for form in ({"answer": "logout", "form_token": "guessed"}, {"answer": "logout", "form_token": ""}):
        client.post(PATH, data=form, follow_redirects=False)
    token = fields_of(client.get(PATH))
    elsewhere = client.post(
        PATH, data={**token, "answer": "logout"}, headers={"Origin": "https://evil.example"}, follow_redirects=False
    )
    assert elsewhere.status_code == 403
    assert is_logged_in(client)
    assert opens(client, tokens)


def test_a_clients_form_is_answered_by_the_address(client: Client, tokens: dict[str, Any]) -> None:
    """It comes from another site, so without the cookie."""
    form = {"id_token_hint": tokens["id_token"], "state": "x"}
    answer = client.post(PATH, data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?{urlencode(form)}")
    client.get(answer.headers["location"])
    assert not is_logged_in(client)


@pytest.mark.parametrize(
    "hint",
    ["", "x", "access_token", "another signature"],
)
def test_what_is_no_id_token_of_ours_counts_for_nothing(
    client: Client, auth: Watchword[Any], tokens: dict[str, Any], hint: str
) -> None:
    if hint == "access_token":
        hint = tokens["access_token"]
    elif hint == "another signature":
        header, payload, signature = tokens["id_token"].split(".")
        hint = f"{header}.{payload}.{signature[::-1]}"
    answer = ask(client, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert (answer.status_code, title_of(answer)) == (200, "Log out?")
    assert is_logged_in(client)


def test_an_id_token_of_somebody_else_asks_too(client: Client, auth: Watchword[Any], tokens: dict[str, Any]) -> None:
    client.sign_up("bob@example.com")
    log_in(client, auth, email="bob@example.com")
    assert ask(client, id_token_hint=tokens["id_token"]).status_code == 200
    assert is_logged_in(client)


@pytest.mark.parametrize(
    "uri",
    ["https://evil.example/", f"{BYE}/", f"{BYE}?x", "https://shop.example/callback", "//evil.example",
     "javascript:alert(1)", f"{BYE}#x"],
)  # fmt: skip
def test_it_leads_nowhere_that_is_not_registered_to_the_letter(
    client: Client, tokens: dict[str, Any], shop: ThirdParty, uri: str
) -> None:
    for who in ({"id_token_hint": tokens["id_token"]}, {"client_id": shop.id}):
        answer = ask(client, **who, post_logout_redirect_uri=uri)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert uri not in answer.text
    assert is_logged_in(client)
    unknown = ask(client, client_id="nobody", post_logout_redirect_uri=uri)
    assert unknown.status_code == 200, "asked, and then it leads nowhere"


def test_two_clients_in_one_request_are_refused(
    client: Client, tokens: dict[str, Any], auth: Watchword[Any], shop: ThirdParty
) -> None:
    other = ThirdParty(client, auth)
    assert ask(client, id_token_hint=tokens["id_token"], client_id=other.id).status_code == 400
    assert ask(client, id_token_hint=tokens["id_token"], client_id=shop.id).status_code == 303


def test_who_is_not_logged_in_is_not_asked(client: Client, shop: ThirdParty) -> None:
    assert ask(client).headers["location"] == "/auth/logged-out"
    assert client.get(PATH).status_code == 200
    answer = ask(client, client_id=shop.id, post_logout_redirect_uri=f"{BYE}?from=us", state="x")
    assert answer.headers["location"] == f"{BYE}?from=us&state=x"


def test_a_disabled_client_logs_nobody_out(
    client: Client, tokens: dict[str, Any], auth: Watchword[Any], shop: ThirdParty
) -> None:
    call(client, auth.clients.disable, shop.id)
    assert ask(client, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE).status_code == 200
    assert is_logged_in(client)


def test_what_may_work_offline_goes_on(client: Client, shop: ThirdParty, auth: Watchword[Any]) -> None:
    browser = log_in(client, auth)
    offline = shop.tokens(browser, scope="openid offline_access orders:read")
    ask(client, id_token_hint=offline["id_token"])
    assert not is_logged_in(client)
    assert opens(client, offline)
