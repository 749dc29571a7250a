"""`watchword demo`: a real server, a real database, a real login, all thrown away at the end."""

import asyncio
import contextlib
import json
import secrets
import socket
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from typing_extensions import override

from watchword.app import Watchword
from watchword.cli.serving import import_uvicorn, uvicorn_options
from watchword.errors import ConfigurationError
from watchword.guard.dependencies import CurrentUser, requires
from watchword.settings import Environment, Settings

_HOST: Final = "127.0.0.1"
_DEFAULT_PORT: Final = 8000
_START_SECONDS: Final = 30
_SHOWN_TOKEN: Final = 24
EMAIL: Final = "demo@example.com"


class _DemoSettings(Settings):
    """Settings from the call alone: neither the environment nor a `.env` of the caller's is read."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class _Call:
    """A request to show, and how curl would send it."""

    title: str
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    expected: int
    curl: str


def run_demo(port: int | None, *, stop: bool) -> None:
    """Show a sign-up, a login and who that is; then serve /docs until Ctrl-C.

    Args:
        port: None for 8000, or a free one where that is taken.
        stop: End after showing.

    Raises:
        ConfigurationError: The port is taken, or something did not go as it should.
    """
    import_uvicorn()
    with tempfile.TemporaryDirectory(prefix="watchword-demo-") as directory, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_demo(Path(directory), _free_port(port), stop=stop))


def demo_app(directory: Path, port: int) -> FastAPI:
    """An app as a user would write it, on a database in `directory`."""
    settings = _DemoSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(f"sqlite+aiosqlite:///{directory / 'demo.db'}"),
        secret=(SecretStr(secrets.token_urlsafe(32)),),
        issuer=f"http://localhost:{port}",
    )
    app = FastAPI(title="Watchword demo")
    Watchword(settings, scopes={"orders:read": "Read orders"}).install(app)

    @app.get("/orders", dependencies=[requires("orders:read")])
    async def orders(user: CurrentUser) -> dict[str, Any]:
        """Guarded: it needs a login, and the scope orders:read."""
        return {"orders_of": user.email, "orders": ["a lamp", "a chair"]}

    return app


async def _demo(directory: Path, port: int, *, stop: bool) -> None:
    import uvicorn

    console = Console(highlight=False)
    config = uvicorn.Config(demo_app(directory, port), host=_HOST, port=port, log_level="warning", **uvicorn_options())
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not server.started and not serving.done():  # noqa: ASYNC110 — uvicorn has no event to wait for
                await asyncio.sleep(0.02)
        if serving.done():
            raise ConfigurationError("the demo server did not start")
        await asyncio.to_thread(_show, console, f"http://{_HOST}:{port}")
        if not stop:
            console.print(
                f"Serving [bold]http://{_HOST}:{port}/docs[/]: press Authorize there. Ctrl-C ends it and deletes all."
            )
            await serving
    finally:
        server.should_exit = True
        await serving


def _show(console: Console, base: str) -> None:
    password = secrets.token_urlsafe(15)
    console.print(f"[bold]Watchword demo[/] on {base}, a throw-away SQLite database\n")
    account = {"email": EMAIL, "password": password}
    form = {"grant_type": "password", "username": EMAIL, "password": password}
    sign_up = _Call(
        "1. Sign up", "POST", f"{base}/auth/users", {"Content-Type": "application/json"},
        json.dumps(account).encode(), 201,
        f"curl {base}/auth/users --json '{json.dumps(account)}'",
    )  # fmt: skip
    login = _Call(
        "2. Log in", "POST", f"{base}/auth/token", {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(), 200,
        f"curl {base}/auth/token -d grant_type=password -d username={EMAIL} -d password={password}",
    )  # fmt: skip
    _send(console, sign_up)
    token = _send(console, login)["access_token"]
    who = _Call(
        "3. Who am I?", "GET", f"{base}/auth/me", {"Authorization": f"Bearer {token}"}, None, 200,
        f"curl {base}/auth/me -H 'Authorization: Bearer ACCESS_TOKEN'",
    )  # fmt: skip
    if _send(console, who)["email"] != EMAIL:
        raise ConfigurationError("the demo's /auth/me answered for somebody else")
    console.print("[bold]The same with curl[/]")
    for call in (sign_up, login, who):
        console.print(escape(call.curl), soft_wrap=True)
    console.print()


def _send(console: Console, call: _Call) -> dict[str, Any]:
    request = urllib.request.Request(call.url, call.body, call.headers, method=call.method)  # noqa: S310 — our own http address
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 — as above
            status, answer = response.status, json.load(response)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the demo failed at “{call.title}”: {type(error).__name__}") from None
    if status != call.expected:
        raise ConfigurationError(f"the demo failed at “{call.title}”: status {status}")
    shown = {
        name: f"{value[:_SHOWN_TOKEN]}…" if name == "access_token" else value for name, value in dict(answer).items()
    }
    path = call.url.removeprefix("http://").partition("/")[2]
    console.print(f"[bold]{call.title}[/]  {call.method} /{path}  →  [green]{status}[/]")
    console.print(
        Panel(Syntax(json.dumps(shown, indent=2, ensure_ascii=False), "json", background_color="default"), expand=False)
    )
    result: dict[str, Any] = answer
    return result


def _free_port(wanted: int | None) -> int:
    for port in (wanted or _DEFAULT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                if wanted is not None:
                    raise ConfigurationError(f"port {wanted} is taken: choose another with --port") from None
                continue
            free: int = probe.getsockname()[1]
            return free
    raise ConfigurationError("no port is free on 127.0.0.1")
