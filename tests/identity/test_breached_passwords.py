"""Passwords that were leaked, asked of a real server on this machine (ASVS 6.2.12)."""

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, make_app, make_settings
from typing_extensions import override

from watchword import Watchword
from watchword.identity import breached_passwords
from watchword.identity.breached_passwords import BreachedPasswords

LEAKED = "a watchword that was leaked"


def digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class RangeApi:
    """What it answers to a range, and what it was asked."""

    url: str
    status: int = 200
    body: bytes | None = None
    seconds: float = 0.0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[RangeApi]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ranges.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            time.sleep(ranges.seconds)
            padding = "0018A45C4D1DEF81644B54AB7F969B88D65:0\r\n"
            body = f"{padding}{digest(LEAKED)[5:]}:17\r\n{digest(PASSWORD)[5:]}:0\r\n".encode()
            self.send_response(ranges.status)
            self.end_headers()
            self.wfile.write(body if ranges.body is None else ranges.body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Not to the terminal."""

    class Server(ThreadingHTTPServer):
        @override
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who asked did not wait for the answer."""

    server = Server(("127.0.0.1", 0), Handler)
    ranges = RangeApi(f"http://127.0.0.1:{server.server_address[1]}/range")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield ranges
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(sqlite_url: str, api: RangeApi) -> Iterator[Client]:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, breached_passwords_url=api.url))
    with Client(make_app(auth)) as client:
        yield client


def sign_up(client: Client, password: str, email: str = EMAIL) -> Any:
    return client.post("/auth/users", json={"email": email, "password": password})


def test_a_leaked_password_is_refused_wherever_one_is_set(client: Client) -> None:
    refused = sign_up(client, LEAKED)
    assert (refused.status_code, refused.json()) == (
        422,
        {"detail": "This password was in a leak of another site: choose another", "code": "weak_password"},
    )
    client.sign_up()
    change = {"current_password": PASSWORD, "new_password": LEAKED}
    assert client.post("/auth/password/change", json=change, headers=client.log_in()).status_code == 422


def test_five_characters_leave_the_process_and_the_length_of_the_answer_tells_nothing(
    client: Client, api: RangeApi
) -> None:
    client.sign_up()  # what only pads the answer was leaked 0 times
    ((path, headers),) = api.asked
    assert path == f"/range/{digest(PASSWORD)[:5]}"
    assert headers["add-padding"] == "true"
    assert digest(PASSWORD)[5:] not in str(headers)


def test_nobody_is_asked_at_a_login_nor_about_what_is_refused_anyway(client: Client, api: RangeApi) -> None:
    client.sign_up()
    assert sign_up(client, "short", "b@example.com").status_code == 422
    client.log_in()
    assert client.ask_token(password="wrong").status_code == 400
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    "broken", [{"status": 503}, {"status": 404}, {"body": b"\xff\xfe"}, {"body": b""}, {"body": b"<html>no</html>"}]
)
def test_what_answers_something_else_stops_no_sign_up(client: Client, api: RangeApi, broken: dict[str, Any]) -> None:
    for name, value in broken.items():
        setattr(api, name, value)
    assert sign_up(client, LEAKED).status_code == 201


@pytest.mark.anyio
async def test_who_does_not_answer_is_waited_for_briefly_and_not_asked_again_for_a_while(
    api: RangeApi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1000.0
    monkeypatch.setattr(breached_passwords, "_TIMEOUT_SECONDS", 0.05)
    breached = BreachedPasswords(api.url, monotonic=lambda: now)
    api.seconds = 0.2
    assert [await breached.knows(LEAKED) for _ in range(3)] == [False] * 3
    assert len(api.asked) == 1
    assert "not checked against leaks: TimeoutError" in caplog.text
    assert digest(LEAKED)[:5] not in caplog.text
    monkeypatch.undo()
    api.seconds = 0
    now += 31
    assert await breached.knows(LEAKED)
    await asyncio.sleep(0)


@pytest.mark.anyio
async def test_where_nobody_listens_or_something_else_than_http_the_other_rules_decide() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert not await BreachedPasswords(f"http://127.0.0.1:{port}").knows(LEAKED)

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no HTTP\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert not await BreachedPasswords(f"http://127.0.0.1:{port}").knows(LEAKED)
