"""Commands as processes, the way an operator runs them."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import forks

PASSWORD = "correct horse battery staple"
SECRET = "a-secret-for-tests-0123456789-abcdefghij"
PRODUCTION = {
    "WATCHWORD_ENVIRONMENT": "production",
    "WATCHWORD_SECRET": SECRET,
    "WATCHWORD_ISSUER": "https://login.example.com",
}


def environment(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "COLUMNS": "200", **variables}


def run(directory: Path, *arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an empty folder; nothing it prints is ever a traceback."""
    outcome = forks.run("watchword", *arguments, cwd=directory, env=environment(**variables), stdin=stdin)
    assert "Traceback" not in outcome.stdout + outcome.stderr
    return outcome


def call(method: str, url: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    request.method = method
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


LOG = "server-log"


@contextmanager
def serving(directory: Path, *arguments: str, **variables: str) -> Iterator[str]:
    """`watchword serve` on a free port, until it answers; ended by SIGTERM, which it must obey cleanly."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = directory / LOG
    with log.open("w") as output:
        process = forks.start(
            ["watchword", "serve", "--port", str(port), *arguments],
            cwd=directory,
            env=environment(**variables),
            stdout=output,
            stderr=output,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert call("GET", f"{base}/health/ready")[0] == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.1)
        yield base
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "Traceback" not in log.read_text()
    finally:
        process.kill()
        process.wait()


def raw(base: str, request: bytes) -> bytes:
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if b"\r\n\r\n" in answer and b"onnection: close" in answer:
                break
        return answer
