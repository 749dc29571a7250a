"""`watchword demo`: a real server, a real database, a real login, all thrown away at the end."""

import contextlib
import json
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from rich.console import Console
from rich.json import JSON
from rich.text import Text
from typing_extensions import override

from watchword import Watchword
from watchword.cli.serving import end_by_interrupt, listen, require_uvicorn, uvicorn_options
from watchword.errors import ConfigurationError
from watchword.guard.dependencies import CurrentUser, requires
from watchword.settings import Environment, Settings

EMAIL: Final = "demo@example.com"
_CURL_EMAIL: Final = "you@example.com"
_HOST: Final = "127.0.0.1"
_DEFAULT_PORT: Final = 8000
_ANSWER_SECONDS: Final = 30
_SHOWN_OF_TOKEN: Final = 24
_FROM_ANSWER: Final = """python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'"""
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON: Final = {"Content-Type": "application/json"}


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
    """A request, and the status that it is answered with if all is well."""

    title: str
    request: str
    expected: int
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def run_demo(port: int | None, *, stop: bool) -> None:
    """Show a sign-up, a login and who that is; then serve /docs until Ctrl-C.

    Args:
        port: None for 8000, or a free one where that is taken.
        stop: End after showing.

    Raises:
        ConfigurationError: The port is taken, or something did not go as it should.
    """
    require_uvicorn()
    end_by_interrupt()
    console = Console(highlight=False)
    with _listen(port) as listener, tempfile.TemporaryDirectory(prefix="watchword-demo-") as directory:
        port = listener.getsockname()[1]
        base = f"http://{_HOST}:{port}"
        with _serving(demo_app(Path(directory), base), listener) as server:
            password = _show(console, base)
            if not stop:
                console.print(f"Swagger: [bold]{base}/docs[/]", soft_wrap=True)
                console.print(f"Press Authorize there: [bold]{EMAIL}[/], password [bold]{password}[/]", soft_wrap=True)
                console.print("Ctrl-C ends the demo and deletes everything.")
                with contextlib.suppress(KeyboardInterrupt):
                    server.join()


def demo_app(directory: Path, base: str) -> FastAPI:
    """An app as a user would write it, on a database in `directory`."""
    settings = _DemoSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(f"sqlite+aiosqlite:///{directory / 'demo.db'}"),
        secret=(SecretStr(secrets.token_urlsafe(32)),),
        issuer=base,
    )
    app = FastAPI(title="Watchword demo")
    Watchword(settings, scopes={"orders:read": "Read orders"}).install(app)

    @app.get("/orders", dependencies=[requires("orders:read")])
    async def orders(user: CurrentUser) -> dict[str, Any]:
        """Guarded: it needs a login, and the scope orders:read."""
        return {"orders_of": user.email, "orders": ["a lamp", "a chair"]}

    return app


def _listen(port: int | None) -> socket.socket:
    try:
        return listen(_HOST, port or _DEFAULT_PORT)
    except ConfigurationError:
        if port is None:
            return listen(_HOST, 0)
        raise ConfigurationError(f"port {port} is taken: choose another with --port") from None


@contextlib.contextmanager
def _serving(app: FastAPI, listener: socket.socket) -> Iterator[threading.Thread]:
    """The server, in a thread of this process, so that Ctrl-C stays ours."""
    from uvicorn import Config, Server

    server = Server(Config(app, log_config=None, **uvicorn_options()))
    thread = threading.Thread(target=server.run, args=([listener],), name="watchword-demo")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        if not server.started:
            raise ConfigurationError("the demo server did not start")
        yield thread
    finally:
        server.should_exit = True
        thread.join()


def _show(console: Console, base: str) -> str:
    """The three steps, and how to repeat them. Returns the password of the demo user."""
    password = secrets.token_urlsafe(15)
    console.print(f"[bold]Watchword demo[/] on {base}, with a throw-away SQLite database\n")
    account = json.dumps({"email": EMAIL, "password": password})
    _send(console, base, _Call("1. Sign up", "POST /auth/users", 201, account, _JSON))
    form = urlencode({"grant_type": "password", "username": EMAIL, "password": password})
    token = _send(console, base, _Call("2. Log in", "POST /auth/token", 200, form, _FORM))["access_token"]
    me = _send(console, base, _Call("3. Who am I?", "GET /auth/me", 200, headers={"Authorization": f"Bearer {token}"}))
    if me["email"] != EMAIL:
        raise ConfigurationError("the demo failed: /auth/me answered for somebody else")
    console.print("[bold]The same with curl[/]")
    for line in _curl_lines(base, password):
        console.print(Text(line), soft_wrap=True)
    console.print()
    return password


def _curl_lines(base: str, password: str) -> tuple[str, str, str]:
    account = json.dumps({"email": _CURL_EMAIL, "password": password})
    form = f"-d grant_type=password -d username={_CURL_EMAIL} -d password={password}"
    return (
        f"curl {base}/auth/users -s -H 'Content-Type: application/json' -d '{account}'",
        f"TOKEN=$(curl {base}/auth/token -s {form} | {_FROM_ANSWER})",
        f'curl {base}/auth/me -s -H "Authorization: Bearer $TOKEN"',
    )


def _send(console: Console, base: str, call: _Call) -> dict[str, Any]:
    method, path = call.request.split()
    try:
        # Not urllib: that would ask the proxy of the environment, which cannot reach this machine's loopback.
        connection = HTTPConnection(base.removeprefix("http://"), timeout=_ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, call.body, dict(call.headers))
            response = connection.getresponse()
            status, answer = response.status, json.load(response)
    except (OSError, ValueError, HTTPException) as error:
        raise ConfigurationError(f"the demo failed at “{call.title}”: {type(error).__name__}") from None
    if status != call.expected or not isinstance(answer, dict):
        raise ConfigurationError(f"the demo failed at “{call.title}”: status {status}")
    console.print(f"[bold cyan]{call.title}[/]  {call.request}")
    sent = call.body or "\n".join(f"{name}: {_short(value)}" for name, value in call.headers.items())
    _print_indented(console, Text(sent, "dim"))
    shown = {name: _short(value) if name == "access_token" else value for name, value in answer.items()}
    console.print(f"   [green]{status} {response.reason}[/]")
    _print_indented(console, JSON(json.dumps(shown), ensure_ascii=False).text)
    console.print()
    return answer


def _print_indented(console: Console, text: Text) -> None:
    for line in text.split("\n"):
        console.print(Text("   ").append_text(line), soft_wrap=True)


def _short(text: str) -> str:
    """Enough of a token to know it by."""
    kept = _SHOWN_OF_TOKEN + (len("Bearer ") if text.startswith("Bearer ") else 0)
    return f"{text[:kept]}…"
