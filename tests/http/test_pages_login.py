"""The pages at which people log in, as a browser without JavaScript has them."""

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings
from tests.http.pages import SESSION, another_browser, fields_of, is_logged_in, log_in, send, title_of
from tests.second_factors import Clock, Phone, enrol

from watchword import Watchword
from watchword.events import Event, LoggedInAtPages, LoginRefused, SecondFactorEnabled

QUERY = "?client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fback&response_type=code&state=a%26b"


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url, product_name="The Shop"))


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        yield client


@pytest.fixture
def clock(client: Client, auth: Watchword[Any]) -> Clock:
    clock = Clock()
    clock.govern(auth)
    return clock


def test_a_user_logs_in_and_sees_their_account(client: Client) -> None:
    assert not is_logged_in(client)
    answer = log_in(client)
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0;url=/auth/account"' in answer.text
    account = client.get("/auth/account")
    assert EMAIL in account.text
    assert title_of(account) == "Your account"


def test_the_account_leads_to_the_login_page_where_nobody_is_logged_in(client: Client) -> None:
    for path in ("", "/sessions", "/password", "/second-factor"):
        answer = client.get(f"/auth/account{path}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD)])
def test_a_refused_login_says_one_thing_and_keeps_the_address(
    client: Client, auth: Watchword[Any], email: str, password: str
) -> None:
    seen: list[Event] = []
    auth.on(LoginRefused, seen.append)
    answer = log_in(client, email, password)
    assert answer.status_code == 400
    assert "Incorrect email or password" in answer.text
    assert f'value="{email}"' in answer.text
    assert f'value="{password}"' not in answer.text
    assert 'aria-describedby="error"' in answer.text
    assert not is_logged_in(client)
    assert len(seen) == 1


def test_the_cookie_is_of_no_use_to_scripts_and_none_at_the_guards(client: Client) -> None:
    answer = log_in(client)
    (cookie,) = [text for text in answer.headers.get_list("set-cookie") if text.startswith(SESSION)]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert client.get("/mine").status_code == 401
    bearer = {"Authorization": f"Bearer {client.cookies[SESSION]}"}
    assert client.get("/mine", headers=bearer).status_code == 401


def test_a_login_gives_another_cookie_and_the_one_before_is_void(client: Client) -> None:
    log_in(client)
    before = client.cookies[SESSION]
    log_in(client)
    assert client.cookies[SESSION] != before
    assert is_logged_in(client)
    with another_browser(client) as thief:
        thief.cookies.set(SESSION, before)
        assert not is_logged_in(thief)


def test_another_users_login_ends_the_one_that_the_browser_had(client: Client) -> None:
    client.sign_up("bob@example.com")
    log_in(client)
    of_alice = client.cookies[SESSION]
    log_in(client, "bob@example.com")
    assert "bob@example.com" in client.get("/auth/account").text
    with another_browser(client) as other:
        other.cookies.set(SESSION, of_alice)
        assert not is_logged_in(other)


def test_an_authorization_request_is_carried_through_and_led_back_to(client: Client) -> None:
    answer = log_in(client, query=QUERY)
    assert f"url=/auth/authorize{QUERY}" in unescape(answer.text)


def test_what_was_asked_for_is_done_and_not_asked_for_again(client: Client) -> None:
    answer = log_in(client, query=QUERY + "&prompt=login+consent&max_age=0")
    assert f'url=/auth/authorize{QUERY}&prompt=consent"' in unescape(answer.text)
    answer = log_in(client, query=QUERY + "&prompt=login")
    assert f'url=/auth/authorize{QUERY}"' in unescape(answer.text)


@pytest.mark.parametrize(
    "query",
    ["?next=https://evil.example", "?redirect_uri=https://evil.example", "?to=//evil.example", "?https://evil.example"],
)
def test_nothing_that_a_query_names_is_followed(client: Client, query: str) -> None:
    answer = log_in(client, query=query)
    assert "evil.example" not in answer.text
    assert "url=/auth/account" in answer.text


def test_a_login_hint_is_filled_in_and_cannot_write_into_the_page(client: Client) -> None:
    assert 'value="bob@example.com"' in client.get("/auth/login?login_hint=bob@example.com").text
    page = client.get("/auth/login", params={"login_hint": '"><script>alert(1)</script>'})
    assert "<script" not in page.text


def test_a_second_factor_is_asked_for(client: Client, auth: Watchword[Any], clock: Clock) -> None:
    phone, _ = enrol(client, clock, client.log_in())
    seen: list[LoggedInAtPages] = []
    auth.on(LoggedInAtPages, seen.append)
    answer = log_in(client, query=QUERY)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/auth/login/second-factor{QUERY}")
    assert not is_logged_in(client)
    here = f"/auth/login/second-factor{QUERY}"
    wrong = send(client, here, code=phone.wrong_code())
    assert wrong.status_code == 400
    assert "The code is wrong" in wrong.text
    assert not is_logged_in(client)
    right = send(client, here, code=phone.next_code())
    assert right.status_code == 200
    assert f"url=/auth/authorize{QUERY}" in unescape(right.text)
    assert is_logged_in(client)
    assert [event.amr for event in seen] == [("pwd", "otp", "mfa")]
    again = client.get(here, follow_redirects=False)
    assert again.headers["location"] == f"/auth/login{QUERY}", "the waiting login is over"


def test_a_recovery_code_is_taken_once(client: Client, clock: Clock) -> None:
    _, codes = enrol(client, clock, client.log_in())
    for status in (200, 400):
        log_in(client)
        assert send(client, "/auth/login/second-factor", code=codes[0]).status_code == status


def test_without_a_password_nobody_is_asked_for_a_code(client: Client) -> None:
    for path in ("/auth/login/second-factor", "/auth/login/set-up"):
        assert client.get(path, follow_redirects=False).headers["location"] == "/auth/login"
        token = fields_of(client.get("/auth/login"))["form_token"]
        answer = client.post(path, data={"form_token": token, "code": "123456"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/auth/login")


def test_who_must_have_a_second_factor_sets_one_up_before_they_are_in(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, second_factor="required"))
    clock = Clock()
    with Client(make_app(auth)) as client:
        clock.govern(auth)
        client.sign_up()
        happened: list[Event] = []
        auth.on(SecondFactorEnabled, happened.append)
        answer = log_in(client, query=QUERY)
        here = f"/auth/login/set-up{QUERY}"
        assert answer.headers["location"] == here
        shown = send(client, here)
        phone = Phone(shown.text.partition('<code class="secret">')[2].partition("<")[0], clock)
        assert '<img src="data:image/svg+xml;base64,' in shown.text
        assert not is_logged_in(client)
        token = fields_of(shown)["form_token"]
        wrong = client.post(here, data={"form_token": token, "code": phone.wrong_code()})
        assert wrong.status_code == 400
        done = client.post(here, data={"form_token": token, "code": phone.next_code()})
        assert done.text.count("<li>") == 10
        assert f'href="/auth/authorize{QUERY}"' in unescape(done.text)
        assert len(happened) == 1
        assert is_logged_in(client)
        log_in(client)
        assert send(client, "/auth/login/second-factor", code=phone.next_code()).status_code == 200


def test_logging_out_ends_the_login_and_not_the_cookie_alone(client: Client) -> None:
    log_in(client)
    kept = client.cookies[SESSION]
    answer = send(client, "/auth/account", at="/auth/account/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/auth/logged-out")
    assert SESSION not in client.cookies
    assert title_of(client.get("/auth/logged-out")) == "You are logged out"
    client.cookies.set(SESSION, kept)
    assert not is_logged_in(client)


@pytest.mark.parametrize("query", ["?client_id=a&client_id=b", "?state=%zz", f"?state={'x' * 9000}"])
def test_a_query_that_cannot_be_read_costs_nobody_their_login(client: Client, query: str) -> None:
    answer = log_in(client, query=query)
    assert answer.status_code == 200
    assert 'content="0;url=/auth/account"' in answer.text
    assert is_logged_in(client)


@pytest.mark.parametrize("path", ["/login", "/login/second-factor", "/account", "/consent"])
def test_bytes_that_no_address_may_have_are_carried_as_any_others(client: Client, path: str) -> None:
    class Raw:
        """A server that lets them through."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope = {**scope, "query_string": b"state=\xff&a=%C3%A4"}
            await app(scope, receive, send)

    app = client._transport.app  # type: ignore[attr-defined]
    client._transport.app = Raw()  # type: ignore[attr-defined]
    answer = client.get(f"/auth{path}", follow_redirects=False)
    assert answer.status_code in {200, 303}
    assert answer.headers.get("location", "/auth/login?state=%FF&a=%C3%A4") == "/auth/login?state=%FF&a=%C3%A4"
