"""The Python in the docs runs, page by page, as a reader would paste it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI, WebSocket
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect

from tests.conftest import Client, make_app, make_settings
from tests.inbox import Inbox
from tests.second_factors import Clock, bearer, enrol
from watchword import CurrentPrincipal, Watchword
from watchword.mail import Mail, MailNotSent

DOCS = Path(__file__).parents[1] / "docs"


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    assert len(pages) > 10
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_page_on_guards_runs(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", sqlite_url)
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / "guards.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    names: dict[str, Any] = {"app": FastAPI(), "BaseModel": BaseModel, "Watchword": Watchword}
    for block in blocks:
        exec(compile(block, "guards.md", "exec"), names)  # noqa: S102 — our own page
    assert "ShopUser" in names


def test_the_page_on_api_keys_runs(sqlite_url: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / "api-keys.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url), scopes={"orders:read": "Read orders"})
    names: dict[str, Any] = {"app": (app := FastAPI()), "auth": auth, "UUID": UUID, "timedelta": timedelta}
    auth.install(app)
    exec("from typing import Annotated; from fastapi import Security; from watchword import *", names)  # noqa: S102
    for block in blocks:
        exec(compile(block, "api-keys.md", "exec"), names)  # noqa: S102 — our own page
    with Client(app) as client:
        user = client.sign_up()
        body = {"name": "nightly report", "scopes": ["orders:read"], "expires_in": "90d"}
        made = client.post("/auth/api-keys", json=body, headers=client.log_in())
        assert set(made.json()) == {"id", "hint", "name", "scopes", "created_at", "expires_at", "last_used_at", "key"}
        assert client.portal is not None
        for key in (made.json()["key"], client.portal.call(names["key_for"], UUID(user["id"]))):
            assert re.fullmatch(r"wwk_[A-Za-z0-9_-]{48}", key)
            headers = {"Authorization": f"Bearer {key}"}
            assert client.get("/orders", headers=headers).json() == {"asked_by": user["id"]}
            assert client.get("/orders/mine", headers=headers).json() == {"of": user["email"]}
            assert client.post("/newsletter", headers=headers).status_code == 403


def test_the_page_on_mail_runs(sqlite_url: str, tmp_path: Path) -> None:
    page = (DOCS / "mail.md").read_text("utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (template,) = re.findall(r"^```\n(Subject: .*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "reset_password.txt").write_text(template)
    handed: list[dict[str, str]] = []

    async def hand_over(**mail: str) -> bool:
        handed.append(mail)
        return True

    def watchword(**options: Any) -> Watchword[Any]:
        return Watchword(make_settings(sqlite_url, mail_templates=tmp_path), **options)

    names: dict[str, Any] = {"hand_over": hand_over, "Mail": Mail, "MailNotSent": MailNotSent, "Watchword": watchword}
    exec(compile(block, "mail.md", "exec"), names)  # noqa: S102 — our own page
    auth: Watchword[Any] = names["auth"]
    with Client(make_app(auth)) as client:
        email = client.sign_up()["email"]
        client.post("/auth/password/forgot", json={"email": email})
        Inbox().settle(client, auth)
    assert [(mail["to"], mail["subject"]) for mail in handed] == [(email, "A new password for localhost")]


def test_the_page_on_second_factors_runs(sqlite_url: str) -> None:
    page = (DOCS / "second-factor.md").read_text("utf-8")
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url))
    names: dict[str, Any] = {"app": (app := FastAPI()), "auth": auth}
    auth.install(app)
    exec("from watchword import *", names)  # noqa: S102
    for block in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        exec(compile(block, "second-factor.md", "exec"), names)  # noqa: S102 — our own page
    with Client(app) as client:
        clock = Clock()
        clock.govern(auth)
        client.sign_up()
        headers = client.log_in()
        refused = client.post("/payouts", headers=headers)
        told = 'error="insufficient_user_authentication", acr_values="mfa", max_age="600"'
        assert told in page
        assert all(part in refused.headers["www-authenticate"] for part in told.split(", "))
        phone, codes = enrol(client, clock, headers)
        assert re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}", codes[0])
        assert client.ask_token().json().keys() == {"access_token", "token_type", "expires_in", "mfa_required"}
        stepped = client.post("/auth/2fa/verify", json={"code": phone.next_code()}, headers=headers).json()
        assert client.post("/payouts", headers=bearer(stepped["access_token"])).status_code == 200


def test_the_page_on_sessions_runs(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / "sessions.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, refresh_leeway="0"))
    app = make_app(auth)
    names: dict[str, Any] = {"app": app, "auth": auth, "WebSocket": WebSocket, "CurrentPrincipal": CurrentPrincipal}
    for block in blocks:
        exec(compile(block, "sessions.md", "exec"), names)  # noqa: S102 — our own page
    with Client(app) as client:
        client.sign_up()
        tokens = client.ask_token().json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        with client.websocket_connect("/live", headers=headers) as socket:
            for _ in range(2):
                client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text()
    assert "a stolen refresh token of" in capsys.readouterr().out


def test_the_page_on_openid_connect_runs(sqlite_url: str) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", (DOCS / "openid.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, issuer="https://example.com/shop"))
    names: dict[str, Any] = {"FastAPI": FastAPI, "auth": auth, "app": make_app(auth)}
    exec(compile(block, "openid.md", "exec"), names)  # noqa: S102 — our own page
    with Client(names["parent"]) as client:
        for path in ("/.well-known/oauth-authorization-server/shop", "/shop/.well-known/openid-configuration"):
            assert client.get(path).json()["issuer"] == "https://example.com/shop"
        assert client.get("/shop/auth/jwks").status_code == 200
