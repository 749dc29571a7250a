"""A real server that can be killed at any instant and started again, and its clients."""

import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from tests import forks
from tests.cli.processes import SECRET, environment
from tests.conftest import CHEAP_HASH, EMAIL, PASSWORD

from watchword.crypto.refresh_tokens import RefreshTokenKeys

NO_TLS = False  # loading certificates would take longer than the request
KEYS = RefreshTokenKeys.from_secrets([SECRET.encode()])


class KillableServer:
    """`watchword serve` on one port and one database, as often as it takes."""

    def __init__(self, directory: Path, database_url: str, *arguments: str, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.directory = directory
        self.arguments = arguments
        self.environment = environment(
            WATCHWORD_DATABASE_URL=database_url,
            WATCHWORD_SECRET=SECRET,
            WATCHWORD_PASSWORD_COST=CHEAP_HASH,
            **{"WATCHWORD_RATE_LIMITS": "false", **settings},
        )
        self.process: forks.Forked | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.directory / "server-log").open("a") as log:
            self.process = forks.start(
                ["watchword", "serve", "--port", str(self.port), *self.arguments],
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=log,
                new_session=True,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                with self.client() as client:
                    if client.get("/health/ready").status_code == 200:
                        return
            except httpx2.TransportError:
                assert time.monotonic() < deadline, "it does not start"
                assert self.process.poll() is None, (self.directory / "server-log").read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """`kill -9`, workers included: nothing is said to anybody."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def client(self) -> httpx2.Client:
        """A client with connections of its own."""
        return httpx2.Client(base_url=self.base, timeout=30, trust_env=False, verify=NO_TLS)

    def log_in(self) -> "Chain":
        """A new session of the one user."""
        with self.client() as client:
            client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD})
            form = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}
            tokens = client.post("/auth/token", data=form).raise_for_status().json()
        return Chain(tokens["refresh_token"], tokens["access_token"])


@dataclass
class Chain:
    """A session, as its client has it."""

    refresh_token: str
    access_token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    @property
    def generation(self) -> int:
        return KEYS.decode(self.refresh_token).generation

    @property
    def handle(self) -> bytes:
        return KEYS.decode(self.refresh_token).handle

    def refresh(self, client: httpx2.Client) -> Any:
        """Refresh, and keep what comes; the same token is sent again if no answer came."""
        answer = client.post("/auth/refresh", json={"refresh_token": self.refresh_token})
        if answer.status_code == 200:
            before = self.refresh_token
            self.refresh_token, self.access_token = (answer.json()[name] for name in ("refresh_token", "access_token"))
            assert KEYS.decode(self.refresh_token).handle == KEYS.decode(before).handle
            assert self.generation == KEYS.decode(before).generation + 1
        return answer
