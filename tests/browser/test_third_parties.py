"""Other people's libraries log people in through our pages: Authlib, `oidc-client-ts` in a page, `openid-client`."""

import json
import os
import runpy
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.responses import FileResponse
from playwright.sync_api import Page, expect
from tests.cli.processes import run
from tests.conftest import EMAIL, PASSWORD, make_settings, missing
from tests.faults.servers import KillableServer

from watchword import CurrentPrincipal, Watchword, requires

HERE = Path(__file__).parent
SHOP = HERE.parents[1] / "examples" / "third_party" / "shop.py"
SCOPE = "openid email orders:read"
SCOPES = {"orders:read": "Read your orders"}

Serve = Callable[..., str]


@dataclass
class Provider:
    """A running Watchword with one user.

    Attributes:
        register: Registers a client; its id and its secret, if it has one.
    """

    issuer: str
    page: Page

    def register(self, **metadata: Any) -> dict[str, Any]:
        answer = self.page.request.post(f"{self.issuer}/seed/client", data=metadata)
        assert answer.ok, answer.text()
        client: dict[str, Any] = answer.json()
        return client

    def enrol(self) -> pyotp.TOTP:
        """Give the user a second factor, over the API."""
        form: dict[str, str | float | bool] = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
        token = self.page.request.post(f"{self.issuer}/auth/token", form=form).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        made = self.page.request.post(f"{self.issuer}/auth/2fa/setup", data={"password": PASSWORD}, headers=bearer)
        totp = pyotp.TOTP(made.json()["secret"])
        # The code of the step before: that of this one is for the login.
        code = totp.at(int(time.time()) - 30)
        assert self.page.request.post(f"{self.issuer}/auth/2fa/confirm", data={"code": code}, headers=bearer).ok
        return totp

    def log_in(self, totp: pyotp.TOTP | None = None) -> None:
        """Fill in the pages, as a person does."""
        self.page.get_by_label("Email").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        if totp is not None:
            self.page.get_by_label("Code").fill(totp.now())
            self.page.keyboard.press("Enter")

    def allow(self) -> None:
        self.page.get_by_role("button", name="Allow").click()


@pytest.fixture
def provider(page: Page, serve: Serve, free_port: Callable[[], int], sqlite_url: str) -> Provider:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, issuer=issuer), scopes=SCOPES)
    app = FastAPI()
    auth.install(app)

    @app.post("/seed/client", include_in_schema=False)
    async def seed_client(metadata: dict[str, Any]) -> dict[str, Any]:
        client, secret = await auth.clients.create(**metadata)
        return {"client_id": client.id, "client_secret": None if secret is None else secret.value}

    @app.post("/seed/user", include_in_schema=False)
    async def seed_user() -> None:
        await auth.users.create(EMAIL, PASSWORD)

    @app.get("/orders", dependencies=[requires("orders:read")])
    async def orders(principal: CurrentPrincipal) -> dict[str, str]:
        return {"of": principal.subject}

    serve(app, port)
    assert page.request.post(f"{issuer}/seed/user").ok
    return Provider(issuer, page)


def test_authlibs_client_logs_in_with_both_factors_and_consent(
    provider: Provider, page: Page, serve: Serve, free_port: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    totp = provider.enrol()
    port = free_port()
    client = provider.register(
        name="The Shop",
        grants=["authorization_code", "refresh_token"],
        scopes=SCOPE.split(),
        redirect_uris=[f"http://127.0.0.1:{port}/callback"],
    )
    monkeypatch.setenv("SHOP_ISSUER", provider.issuer)
    monkeypatch.setenv("SHOP_CLIENT_ID", client["client_id"])
    monkeypatch.setenv("SHOP_CLIENT_SECRET", client["client_secret"])
    shop = serve(runpy.run_path(str(SHOP))["app"], port)
    page.goto(shop)
    page.get_by_text("Log in").click()
    provider.log_in(totp)
    expect(page.get_by_role("heading")).to_contain_text("The Shop")
    expect(page.get_by_text("Read your orders")).to_be_visible()
    provider.allow()
    expect(page.get_by_text(f"Hello, {EMAIL}")).to_be_visible()
    page.goto(f"{shop}/login")  # allowed once, and logged in still: nobody is asked again
    expect(page.get_by_text(f"Hello, {EMAIL}")).to_be_visible()


def test_a_page_logs_in_refreshes_and_logs_out_by_oidc_client_ts(
    provider: Provider, page: Page, serve: Serve, free_port: Callable[[], int], npm_files: Path
) -> None:
    app, port = FastAPI(), free_port()
    here = f"http://127.0.0.1:{port}"
    client = provider.register(
        name="A page",
        grants=["authorization_code", "refresh_token"],
        scopes=SCOPE.split(),
        redirect_uris=[f"{here}/"],
        post_logout_redirect_uris=[f"{here}/"],
        auth_method="none",
    )

    @app.get("/")
    async def home() -> FileResponse:
        return FileResponse(HERE / "oidc_client_ts.html")

    @app.get("/oidc-client-ts.min.js")
    async def script() -> FileResponse:
        return FileResponse(npm_files / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.min.js")

    @app.get("/settings.json")
    async def settings() -> dict[str, str]:
        return {"issuer": provider.issuer, "client_id": client["client_id"]}

    serve(app, port)
    page.goto(here)
    page.get_by_role("button", name="Log in").click()
    provider.log_in()
    provider.allow()
    told = page.locator("#told")
    expect(told).to_contain_text(EMAIL)
    profile = json.loads(told.inner_text())
    bearer = {"Authorization": f"Bearer {profile['token']}"}
    assert page.request.get(f"{provider.issuer}/orders", headers=bearer).json() == {"of": profile["sub"]}
    page.get_by_role("button", name="Refresh").click()
    expect(told).to_contain_text("refreshed")
    assert json.loads(told.inner_text())["token"] != profile["token"]
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert urlsplit(page.url).netloc == f"127.0.0.1:{port}"
    assert page.request.get(f"{provider.issuer}/orders", headers=bearer).status == 401
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.fixture
def server(tmp_path: Path, sqlite_url: str) -> Iterator[KillableServer]:
    """`watchword serve`, with one user."""
    server = KillableServer(tmp_path, sqlite_url, WATCHWORD_SCOPES=json.dumps(SCOPES))
    server.environment["WATCHWORD_ISSUER"] = server.base
    server.start()
    with server.client() as client:
        client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
    yield server
    server.kill()


def test_openid_client_in_node_does_all_that_a_service_does(
    server: KillableServer, page: Page, serve: Serve, free_port: Callable[[], int], npm_files: Path
) -> None:
    node = shutil.which("node")
    if node is None:
        missing("node")
    assert node is not None
    provider = Provider(server.base, page)
    app, port = FastAPI(), free_port()
    back, logged_out = f"http://127.0.0.1:{port}/callback", f"http://127.0.0.1:{port}/logged-out"
    options = ("--redirect-uri", back, "--post-logout-redirect-uri", logged_out)
    grants = ("--grant", "authorization_code", "--grant", "refresh_token")
    scopes = [word for scope in SCOPE.split() for word in ("--scope", scope)]
    made = run(
        server.directory, "clients", "create", "A service", *grants, *scopes, *options, "--json", **server.environment
    )
    client = json.loads(made.stdout)

    @app.get("/{path}")
    async def returned(path: str) -> str:
        return f"back at {path}"

    serve(app, port)
    environment = {
        "ISSUER": server.base,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
        "REDIRECT_URI": back,
        "LOGGED_OUT_URI": logged_out,
        "SCOPE": SCOPE,
    }
    with subprocess.Popen(
        [node, "--experimental-global-webcrypto", "openid_client.mjs"],  # Node.js 18 has it behind the flag
        cwd=HERE,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            assert first, process.stderr.read()
            page.goto(json.loads(first)["authorize"])
            provider.log_in()
            provider.allow()
            expect(page.get_by_text("back at callback")).to_be_visible()
            process.stdin.write(f"{page.url}\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, process.stderr.read()
        finally:
            process.kill()
    told = json.loads(line)
    assert told["userinfo"]["email"] == EMAIL
    assert told["userinfo"]["sub"] == told["claims"]["sub"] == told["refreshed"]["sub"]
    assert told["claims"]["nonce"]
    assert "nonce" not in told["refreshed"]
    assert set(told["scope"].split()) == set(SCOPE.split())
    assert told["before"]["active"] is True
    assert told["after"] == {"active": False}
    page.goto(told["logout"])
    expect(page.get_by_text("back at logged-out")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query) == {"state": ["after-logout"]}
