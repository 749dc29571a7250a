"""The pages in a real browser: usable by everybody, at any width, without JavaScript and without a mouse."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from starlette.types import ASGIApp
from tests.conftest import EMAIL, PASSWORD, SCOPES, make_settings

from watchword import Watchword

Serve = Callable[[ASGIApp], str]
BOSS = "boss@example.com"
WIDTHS = {"phone": (390, 844), "desk": (1280, 900)}
NARROWEST = 320


@pytest.fixture
def base(serve: Serve, sqlite_url: str) -> str:
    """A server with two users, one of whom must have a second factor, and a client."""
    settings = make_settings(sqlite_url, product_name="Orchard", second_factor_roles=("admin",))
    auth: Watchword[Any] = Watchword(settings, scopes=SCOPES)
    app = FastAPI()
    auth.install(app)

    @app.post("/seed", include_in_schema=False)
    async def seed() -> str:
        await auth.users.create(EMAIL, PASSWORD)
        boss = await auth.users.create(BOSS, PASSWORD)
        await auth.roles.give(boss.id, "admin")
        client, _ = await auth.clients.create(
            "Harvest Planner",
            grants=["authorization_code", "refresh_token"],
            scopes=["orders:read", "orders:write", "openid", "email", "offline_access"],
            redirect_uris=["https://planner.example/back"],
        )
        return client.id

    return serve(app)


@pytest.fixture
def seeded(browser: Browser, base: str) -> str:
    """The client's id."""
    context = browser.new_context()
    client_id: str = context.request.post(f"{base}/seed").json()
    context.close()
    return client_id


def fill_login(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def request_of(base: str, client_id: str) -> str:
    return (
        f"{base}/auth/authorize?client_id={client_id}&redirect_uri=https%3A%2F%2Fplanner.example%2Fback"
        "&response_type=code&scope=openid+email+orders%3Aread+orders%3Awrite+offline_access&state=s"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )


def every_page(  # noqa: PLR0915 — one thing after the other
    page: Page, base: str, client_id: str
) -> Iterator[str]:
    """Go through all of them, as one person after the other would; the name of each, while it is shown."""
    at = f"{base}/auth"
    page.goto(f"{at}/login")
    yield "login"
    fill_login(page, password="wrong")
    yield "login-refused"
    page.get_by_role("link", name="Forgot").click()
    yield "forgot"
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_role("button").click()
    yield "forgot-sent"
    page.goto(f"{at}/reset#token=wwo_{'A' * 48}")
    yield "reset"
    page.get_by_label("New password").fill("a new password that is long")
    page.get_by_role("button").click()
    yield "reset-refused"
    page.goto(f"{at}/verify#token=wwo_{'A' * 48}")
    yield "verify"
    page.goto(f"{at}/authorize?client_id=nobody")
    yield "error"

    page.goto(f"{at}/login")
    fill_login(page)
    page.wait_for_url(f"{at}/account")
    yield "account"
    page.get_by_role("link", name="Logins", exact=True).click()
    yield "sessions"
    page.get_by_role("link", name="Apps", exact=True).click()
    yield "apps-none"
    page.get_by_role("link", name="Password", exact=True).click()
    yield "password"
    page.get_by_role("link", name="Second factor").click()
    yield "factor-off"
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Set it up").click()
    yield "factor-refused"
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    yield "factor-confirm"
    totp = pyotp.TOTP(page.locator(".secret").inner_text())
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Confirm").click()
    yield "factor-codes"
    recovery_code = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    yield "factor-on"

    page.goto(request_of(base, client_id))
    yield "consent"
    page.get_by_role("link", name="Use another account").click()
    fill_login(page)
    yield "second-factor"
    page.get_by_label("Code").fill(recovery_code)
    page.get_by_role("button").click()
    page.wait_for_url("**/consent?*")
    page.route("**/auth/authorize?*", lambda route: route.fulfill(body="to the client"))
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/auth/authorize?*")
    page.goto(f"{at}/account/apps")
    yield "apps"
    page.goto(f"{at}/end-session")
    yield "logout"
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/logged-out")
    yield "logged-out"

    page.goto(f"{at}/login")
    fill_login(page, BOSS)
    yield "login-set-up"
    page.get_by_role("button", name="Set it up").click()
    yield "login-confirm"
    totp = pyotp.TOTP(page.locator(".secret").inner_text())
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Confirm").click()
    yield "login-codes"


def is_as_wide_as_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_every_page_is_for_everybody_in_light_and_dark_at_any_width(
    browser: Browser, base: str, seeded: str, axe: str
) -> None:
    folder = os.environ.get("WATCHWORD_TEST_SCREENSHOTS")
    # axe is put into pages that take no script, by a browser that does not ask their policy.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page, seen, found = context.new_page(), [], []
    page.set_default_timeout(10_000)
    for name in every_page(page, base, seeded):
        page.wait_for_load_state()
        seen.append(name)
        page.set_viewport_size({"width": NARROWEST, "height": 600})
        if not is_as_wide_as_its_window(page):
            found.append(f"{name} scrolls sideways")
        page.evaluate(axe)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for where, (width, height) in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                if folder is not None:
                    page.screenshot(path=Path(folder) / f"{name}-{scheme}-{where}.png", full_page=True)
            # What dark changes is colours alone.
            rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
            result = page.evaluate("rules => axe.run(rules)", rules)
            assert result["passes"], "it looked"
            found += [
                f"{name} ({scheme}): {violation['id']}: {node['html']} {node['failureSummary']}"
                for violation in result["violations"]
                for node in violation["nodes"]
            ]
    assert not found, "\n".join(found)
    assert len(seen) == 25
    context.close()


def test_a_login_needs_no_mouse(page: Page, base: str, seeded: str) -> None:
    page.goto(f"{base}/auth/login")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Incorrect email or password")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    expect(page.get_by_text(EMAIL)).to_be_visible()


def test_a_login_and_a_consent_need_no_javascript(browser: Browser, base: str, seeded: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(request_of(base, seeded))
    fill_login(page)
    page.wait_for_url("**/consent?*")
    with page.expect_request("https://planner.example/back?code=*"):
        page.get_by_role("button", name="Allow").click()
    context.close()


def test_a_mailed_link_fills_in_its_token_and_leaves_the_address(page: Page, base: str) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    token = f"wwo_{'A' * 48}"
    page.goto(f"{base}/auth/reset#token={token}")
    assert page.locator("#token").input_value() == token
    expect(page.locator("#token-row")).to_be_hidden()
    assert page.url == f"{base}/auth/reset"
    assert said == [], "the policy lets the script and the styles through, and there is nothing else"


def test_without_javascript_the_link_is_pasted(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{base}/auth/verify#token=wwo_{'A' * 48}")
    page.get_by_label("Link from the mail").fill(f"{base}/auth/verify#token=wwo_{'A' * 48}")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("This link is invalid")
    context.close()
