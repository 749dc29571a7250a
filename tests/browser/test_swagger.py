"""Swagger's Authorize button, pressed by a person: password in, protected route answered."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.conftest import EMAIL, PASSWORD, make_settings

from watchword import CurrentUser, Watchword, requires

Serve = Callable[[ASGIApp], str]
SCOPES = {"orders:read": "Read orders", "orders:write": "Change orders"}


def add_routes(app: FastAPI) -> None:
    """A route that needs a login, and one that needs a scope."""

    @app.get("/mine")
    async def mine(user: CurrentUser) -> dict[str, str]:
        return {"email": user.email}

    @app.get("/orders", dependencies=[requires("orders:read")])
    async def orders() -> list[str]:
        return ["an order"]


def create_user(app: FastAPI, auth: Watchword[Any]) -> None:
    """A route that makes the user of the test, so that no browser step has to."""

    @app.post("/seed", include_in_schema=False)
    async def seed() -> None:
        await auth.users.create(EMAIL, PASSWORD)


def behind(prefix: str, app: ASGIApp, *, keep_path: bool) -> ASGIApp:
    """What a proxy does that serves the app below a prefix.

    Args:
        prefix: Where the browser sees the app.
        app: The app.
        keep_path: True for what `uvicorn --root-path` hands to the app, False for a proxy that strips the prefix from
            the path and leaves `FastAPI(root_path=…)` to know it.
    """

    async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert scope["path"].startswith(prefix)
            stripped = scope["path"].removeprefix(prefix)
            scope = {**scope, "root_path": prefix} if keep_path else {**scope, "path": stripped}
        await app(scope, receive, send)

    return proxied


def shop(auth: Watchword[Any], **options: Any) -> FastAPI:
    """A host app with guarded routes and a user to be."""
    app = FastAPI(**options)
    auth.install(app)
    add_routes(app)
    create_user(app, auth)
    return app


@pytest.fixture
def auth(sqlite_url: str) -> Watchword[Any]:
    return Watchword(make_settings(sqlite_url), scopes=SCOPES)


def seeded(page: Page, base: str) -> None:
    assert page.request.post(f"{base}/seed").ok


def authorize(page: Page, password: str = PASSWORD, *, untick: str | None = None) -> None:
    """Press Authorize, fill in the form, submit it."""
    page.get_by_role("button", name="Authorize", exact=True).first.click()
    forms = page.locator(".dialog-ux .auth-container")
    form = forms.filter(has=page.get_by_label("username:"))  # beside it is the one that leads to our pages
    form.get_by_label("username:").fill(EMAIL)
    form.get_by_label("password:").fill(password)
    form.get_by_text("select all", exact=True).click()
    if untick is not None:
        form.locator(f'label[for^="{untick}-"]').first.click()
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()


def call(page: Page, operation: str) -> None:
    """Open an operation, try it out, execute it."""
    block = page.locator(f'[id$="{operation}"].opblock')
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table .response-col_status").first.wait_for()


def answer_of(page: Page, operation: str) -> tuple[str, str]:
    block = page.locator(f'[id$="{operation}"].opblock .live-responses-table')
    status = block.locator("tbody .response-col_status").first.inner_text().strip().split()[0]
    return status, block.locator("tbody .response-col_description").first.inner_text()


def press_and_call(page: Page, docs: str) -> None:
    page.goto(docs)
    authorize(page)
    expect(page.locator(".dialog-ux")).to_contain_text("Authorized")
    page.locator(".dialog-ux").get_by_role("button", name="Close").first.click()
    call(page, "mine_mine_get")
    status, text = answer_of(page, "mine_mine_get")
    assert status == "200", text
    assert EMAIL in text


@pytest.mark.parametrize(
    ("changes", "options", "docs"),
    [
        ({}, {}, "/docs"),
        ({"prefix": "/deep/auth"}, {"docs_url": "/deep/er/docs"}, "/deep/er/docs"),
    ],
    ids=["default", "deep"],
)
def test_authorize_works(
    page: Page, serve: Serve, sqlite_url: str, changes: dict[str, Any], options: dict[str, Any], docs: str
) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, **changes), scopes=SCOPES)
    base = serve(shop(auth, **options))
    seeded(page, base)
    press_and_call(page, base + docs)


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")  # and still what many apps have
@pytest.mark.parametrize(
    ("keep_path", "docs_url"),
    [(True, "/docs"), (False, "/deep/docs")],
    ids=["uvicorn-root-path", "fastapi-root-path"],
)
def test_authorize_works_behind_a_root_path(
    page: Page, serve: Serve, auth: Watchword[Any], keep_path: bool, docs_url: str
) -> None:
    app = shop(auth, docs_url=docs_url) if keep_path else shop(auth, root_path="/api/v1", docs_url=docs_url)
    base = serve(behind("/api/v1", app, keep_path=keep_path))
    seeded(page, f"{base}/api/v1")
    press_and_call(page, f"{base}/api/v1{docs_url}")


def test_authorize_works_in_a_guarded_sub_app(page: Page, serve: Serve, auth: Watchword[Any]) -> None:
    app, sub_app = shop(auth), FastAPI()
    add_routes(sub_app)
    auth.document(sub_app)
    app.mount("/inner/v1", sub_app)
    base = serve(app)
    seeded(page, base)
    press_and_call(page, f"{base}/inner/v1/docs")


def test_authorize_works_in_an_app_that_a_parent_mounts(page: Page, serve: Serve, auth: Watchword[Any]) -> None:
    app = shop(auth)
    parent = FastAPI(lifespan=auth.lifespan)
    parent.mount("/shop", app)
    base = serve(parent)
    seeded(page, f"{base}/shop")
    press_and_call(page, f"{base}/shop/docs")


def test_scopes_are_offered_and_the_ones_left_out_are_not_granted(
    page: Page, serve: Serve, auth: Watchword[Any]
) -> None:
    app = shop(auth)
    base = serve(app)
    seeded(page, base)
    page.goto(f"{base}/docs")
    authorize(page, untick="orders:read")
    dialog = page.locator(".dialog-ux")
    expect(dialog).to_contain_text("Authorized")
    dialog.get_by_role("button", name="Close").first.click()
    call(page, "orders_orders_get")
    status, text = answer_of(page, "orders_orders_get")
    assert status == "403", text
    assert 'scope="orders:read"' in text


def test_a_wrong_password_is_told_in_the_dialog(page: Page, serve: Serve, auth: Watchword[Any]) -> None:
    app = shop(auth)
    base = serve(app)
    seeded(page, base)
    page.goto(f"{base}/docs")
    authorize(page, "a wrong password")
    error = page.locator(".dialog-ux .errors").first
    expect(error).to_contain_text("Incorrect email or password")
    expect(page.locator(".dialog-ux")).to_contain_text(re.compile("Read orders"))
