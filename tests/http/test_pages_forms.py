"""What keeps pages and their forms ours: tokens, origins, policies, cookies, languages, themes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from tests.conftest import EMAIL, PASSWORD, SECRET, Client, make_app, make_settings
from tests.http.pages import SESSION, another_browser, fields_of, is_logged_in, log_in, send, title_of

from watchword import ConfigurationError, Watchword
from watchword.errors import Refusal, StorageDown
from watchword.http import pages
from watchword.http.pages.colours import contrast, legible
from watchword.http.pages.texts import LANGUAGES, texts_in

FOLDER = Path(pages.__file__).parent
LOGIN = {"email": EMAIL, "password": PASSWORD}
PUBLIC = ("/login", "/forgot", "/reset", "/verify", "/logged-out")
OWN = ("/account", "/account/sessions", "/account/apps", "/account/second-factor", "/account/password")


@pytest.fixture
def auth(sqlite_url: str) -> Watchword[Any]:
    return Watchword(make_settings(sqlite_url, product_name="The Shop"))


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        yield client


def posts(auth: Watchword[Any]) -> list[str]:
    """The addresses that take a form of ours."""
    routes = [route for part in auth._routes._parts for route in part.routes]
    pages = [route for route in routes if isinstance(route, APIRoute) and not route.include_in_schema]
    elsewhere = {"/authorize", "/end-session", "/userinfo"}  # what other sites may post
    return [f"/auth{route.path}" for route in pages if "POST" in (route.methods or ()) and route.path not in elsewhere]


def test_no_form_is_taken_without_its_token(client: Client, auth: Watchword[Any]) -> None:
    log_in(client)
    assert len(posts(auth)) >= 14
    for path in posts(auth):
        for fields in ({}, {"form_token": "A" * 43}):
            answer = client.post(path, data={**LOGIN, **fields}, follow_redirects=False)
            assert answer.status_code == 403, path
            assert "This form is out of date" in answer.text


def test_a_token_is_good_in_the_browser_that_it_was_shown_to_alone(client: Client) -> None:
    token = fields_of(client.get("/auth/login"))["form_token"]
    with another_browser(client) as other:
        other.get("/auth/login")
        assert other.post("/auth/login", data={**LOGIN, "form_token": token}).status_code == 403
        assert not is_logged_in(other)
    assert client.post("/auth/login", data={**LOGIN, "form_token": token}).status_code == 200


def test_a_token_of_one_login_is_void_at_another(client: Client) -> None:
    log_in(client)
    token = fields_of(client.get("/auth/account"))["form_token"]
    send(client, "/auth/account", at="/auth/account/logout")
    log_in(client)
    assert client.post("/auth/account/logout", data={"form_token": token}).status_code == 403
    assert is_logged_in(client)


def test_a_form_that_was_open_while_another_tab_logged_in_is_still_good(client: Client) -> None:
    token = fields_of(client.get("/auth/login"))["form_token"]
    log_in(client)
    assert client.post("/auth/login", data={**LOGIN, "form_token": token}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://testserver"}, 200),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "null"}, 200),
        ({"origin": "http://localhost:8000"}, 200),
    ],
)
def test_what_a_browser_says_comes_from_elsewhere_is_refused(
    client: Client, headers: dict[str, str], status: int
) -> None:
    token = fields_of(client.get("/auth/login"))["form_token"]
    assert client.post("/auth/login", data={**LOGIN, "form_token": token}, headers=headers).status_code == status


def test_a_token_outlives_the_secret_that_made_it_while_that_is_listed(sqlite_url: str) -> None:
    new = "another-secret-for-tests-0123456789-abcd"
    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        token, cookies = fields_of(client.get("/auth/login"))["form_token"], dict(client.cookies)
    with Client(make_app(Watchword(make_settings(sqlite_url, secret=f"{new} {SECRET}"))), cookies=cookies) as client:
        assert fields_of(client.get("/auth/login"))["form_token"] != token
        assert client.post("/auth/login", data={**LOGIN, "form_token": token}).status_code == 200


def test_every_page_has_a_strict_policy_and_is_kept_by_nobody(client: Client) -> None:
    log_in(client)
    for path in (*PUBLIC, *OWN, "/authorize"):
        page = client.get(f"/auth{path}")
        assert page.headers["content-type"] == "text/html; charset=utf-8", path
        policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
        scripts = {"script-src": "'self'"} if path in {"/reset", "/verify"} else {}
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            **scripts,
        }
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert " style=" not in page.text
        assert not re.search(r' on\w+="', page.text)
        assert not re.search(r'(src|href)="(https?:)?//', page.text), "nothing comes from elsewhere"


def test_a_refusal_is_a_page_with_its_status(client: Client) -> None:
    log_in(client)
    token = fields_of(client.get("/auth/account/sessions"))["form_token"]
    answer = client.post("/auth/account/sessions", data={"form_token": token, "end": "nothing that there is"})
    assert (answer.status_code, title_of(answer)) == (404, "That did not work")
    answer = client.post("/auth/login", content=b"email=%ff", headers={"content-type": "text/plain"})
    assert (answer.status_code, title_of(answer)) == (400, "That did not work")


def test_a_database_that_is_away_is_a_page_that_says_when_to_come_back(client: Client, auth: Watchword[Any]) -> None:
    async def away(_cookie: str | None) -> None:
        raise StorageDown("no connection")

    object.__setattr__(auth.use_cases, "find_browser_session", away)
    page = client.get("/auth/account")
    assert (page.status_code, page.headers["retry-after"], title_of(page)) == (503, "1", "That did not work")
    assert "no connection" not in page.text


def test_too_many_logins_are_told_when_to_come_back(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, rate_limits=True, rate_logins="2/minute")
    with Client(make_app(Watchword(settings))) as client:
        client.sign_up()
        for _ in range(2):
            log_in(client, password="wrong")
        answer = log_in(client)
        assert answer.status_code == 429
        assert f"Try again in {answer.headers['retry-after']} s." in answer.text


def test_in_production_pages_are_for_https_and_cookies_for_this_host_alone(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, environment="production", issuer="https://login.example.com")
    auth: Watchword[Any] = Watchword(settings)
    app = make_app(auth, openapi_url=None)
    with Client(app, base_url="https://login.example.com") as client:
        client.sign_up()
        answer = log_in(client)
        assert answer.status_code == 200
        assert is_logged_in(client)
        cookies = [*answer.headers.get_list("set-cookie"), *client.get("/auth/account").headers.get_list("set-cookie")]
        assert any(cookie.startswith(f"__Host-{SESSION}=") for cookie in cookies)
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            assert {"HttpOnly", "Secure", "Path=/"} <= set(cookie.split("; "))
            assert "Domain" not in cookie
        plain = client.get("http://login.example.com/auth/login")
        assert (plain.status_code, title_of(plain)) == (400, "That did not work")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("de-AT,en;q=0.5", "de"), ("fr,de;q=0.8,en;q=0.9", "en"), ("", "en"), ("de;q=0", "en"), ("x;q=y,de", "de")],
)
def test_a_page_speaks_the_language_that_fits_best(client: Client, accepted: str, language: str) -> None:
    page = client.get("/auth/login", headers={"accept-language": accepted})
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text


def test_a_client_may_say_which_language_its_user_reads(client: Client) -> None:
    page = client.get("/auth/login?ui_locales=fr-CA+de", headers={"accept-language": "en"})
    assert title_of(page) == "Anmelden"
    refused = send(client, "/auth/login?ui_locales=de", email=EMAIL, password="wrong")
    assert "E-Mail oder Passwort ist falsch" in refused.text


def test_all_languages_say_the_same_and_nothing_is_said_in_vain() -> None:
    english = texts_in("en")
    sources = "".join(
        path.read_text("utf-8") for folder in ("templates", ".") for path in (FOLDER / folder).glob("*.*")
    )
    sources = sources.replace("'", '"')
    for language in LANGUAGES:
        texts = texts_in(language)
        assert texts.texts.keys() == english.texts.keys()
        for name, text in texts.texts.items():
            holes = sorted(re.findall(r"\{\w+\}", text))
            assert holes == sorted(re.findall(r"\{\w+\}", english.texts[name])), name
    for name in english.texts:
        beginning, _, end = name.rpartition(".")
        is_built = beginning == "scope" or (f'{{name}}.{end}"' in sources and f'"{beginning}"' in sources)
        assert f'"{name}"' in sources or is_built, f"nothing says {name}"
    for name in set(re.findall(r'\bt\("([a-z_.]+)"', sources)):
        assert name in english.texts


def test_what_refusals_say_is_translated() -> None:
    german = texts_in("de")
    told = {refusal: german.of_refusal(refusal) for refusal in (kind() for kind in _kinds(Refusal) if kind is not None)}
    names = {
        "InvalidRequest", "RequestTooLarge", "ForgedForm", "WeakPassword", "WrongPassword", "InvalidLink", "NotFound",
        "NoSecondFactor", "SecondFactorRequired", "Unavailable", "HashingBusy", "StorageDown", "HttpsRequired",
        "InvalidGrant", "UnsafeAuthorizationRequest",
    }  # fmt: skip
    for refusal, said in told.items():
        if type(refusal).__name__ in names:
            assert said != refusal.text, f"{refusal.text!r} has no translation"


def _kinds(kind: type[Refusal]) -> list[Any]:
    below = [found for sub in kind.__subclasses__() for found in _kinds(sub)]
    needs_more = {"TooManyRequests", "TooManyAttempts", "InsufficientScope", "LoginTooOld", "SecondFactorNeeded"}
    return [*([] if kind.__name__ in needs_more else [kind]), *below]


def test_pages_find_each_other_where_a_proxy_takes_the_issuers_path_off(sqlite_url: str) -> None:
    settings = make_settings(sqlite_url, issuer="https://example.com/shop")
    with Client(make_app(Watchword(settings))) as client:
        sent_on = client.get("/auth/account", follow_redirects=False)
        assert sent_on.headers["location"] == "/shop/auth/login"
        addresses = re.findall(r'(?:href|action)="(/[^"?]*)', client.get("/auth/login").text)
        assert addresses == ["/shop/auth/pages/style.css", "/shop/auth/forgot"]


def test_pages_find_each_other_where_an_app_is_mounted(sqlite_url: str) -> None:
    for issuer in ("https://example.com", "https://example.com/shop"):
        auth = Watchword(make_settings(sqlite_url, issuer=issuer))
        parent = FastAPI(lifespan=auth.lifespan)
        parent.mount("/shop", make_app(auth))
        with Client(parent) as client:
            sent_on = client.get("/shop/auth/account", follow_redirects=False)
            assert sent_on.headers["location"] == "/shop/auth/login"
            assert 'href="/shop/auth/forgot"' in client.get("/shop/auth/login").text


def test_a_host_has_its_own_colour_logo_and_templates(sqlite_url: str, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "_brand.html").write_text('<p class="brand">Ours: {{ product }}{{ asset("logo") }}</p>')
    settings = make_settings(sqlite_url, page_accent="#FFDD00", page_logo=logo, page_templates=folder)
    with Client(make_app(Watchword(settings))) as client:
        page = client.get("/auth/login")
        assert "Ours: localhost/auth/pages/logo?v=" in page.text
        style = client.get(re.findall(r'href="(/auth/pages/style.css[^"]+)"', page.text)[0])
        assert "immutable" in style.headers["cache-control"]
        light, dark = re.findall(r"--accent: (#\w{6})", style.text)[:2]
        assert dark == "#ffdd00"
        assert contrast(light, "#ffffff") >= 4.5
        found = client.get("/auth/pages/logo")
        assert (found.headers["content-type"], found.headers["cache-control"]) == ("image/svg+xml", "no-cache")
        assert "default-src 'none'" in found.headers["content-security-policy"]
        for name in ("nothing", "..%2ftheme.py", "link.css"):
            assert client.get(f"/auth/pages/{name}").status_code == 404


def test_any_accent_is_legible_on_light_and_on_dark() -> None:
    for accent in ("#000000", "#ffffff", "#ffdd00", "#3455c4", "#808080", "#ff0000"):
        for background in ("#ffffff", "#1b1e24"):
            assert contrast(legible(accent, background), background) >= 4.5
    assert legible("#3455c4", "#ffffff") == "#3455c4", "what is legible stays as it is"
    assert round(contrast("#000000", "#ffffff"), 1) == 21


def refused_at_start_up(sqlite_url: str, told: str, **settings: Path) -> None:
    """An app with these settings does not start, and one line says why."""
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, **settings))
    with pytest.raises(ConfigurationError, match=rf"^watchword: {told}"), Client(make_app(auth)):
        pass


def test_a_stylesheet_that_is_no_text_is_one_line_at_start_up(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "style.css").write_bytes(b"\xff\xfe")
    told = "WATCHWORD_PAGE_TEMPLATES: style.css is not UTF-8$"
    refused_at_start_up(sqlite_url, told, page_templates=tmp_path)


def test_a_template_that_jinja_cannot_read_is_one_line_at_start_up(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text("{% if %}")
    told = r"WATCHWORD_PAGE_TEMPLATES: login.html \(line 1\) is no template that Jinja can read$"
    refused_at_start_up(sqlite_url, told, page_templates=tmp_path)


def test_a_template_that_needs_one_that_there_is_not_is_one_line_at_start_up(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text('{% extends "nope.html" %}')
    told = "WATCHWORD_PAGE_TEMPLATES: login.html needs nope.html, which there is not$"
    refused_at_start_up(sqlite_url, told, page_templates=tmp_path)


def test_a_logo_that_is_no_image_is_one_line_at_start_up(sqlite_url: str, tmp_path: Path) -> None:
    logo = tmp_path / "logo.txt"
    logo.write_text("us")
    refused_at_start_up(sqlite_url, "WATCHWORD_PAGE_LOGO: .*logo.txt has no name of an image", page_logo=logo)


def test_an_app_without_pages_has_none(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, pages=False))
    with Client(make_app(auth)) as client:
        for path in (*PUBLIC, *OWN, "/authorize", "/consent", "/pages/style.css"):
            assert client.get(f"/auth{path}").status_code == 404
        assert client.post("/auth/login", data=LOGIN).status_code == 404


def test_pages_are_in_no_openapi_document(client: Client) -> None:
    paths = json.dumps(list(client.get("/openapi.json").json()["paths"]))
    assert "/login" not in paths
    assert "/account" not in paths
