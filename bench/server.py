"""The app that is measured: `examples/minimal.py` on a throw-away database, in a process and on a core of its own."""

import asyncio
import os
import secrets
import socket
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

PASSWORD: Final = "correct horse battery staple"
_EXAMPLES: Final = Path(__file__).parents[1] / "examples"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10


def _two_cores() -> tuple[int, int]:
    """A core for the server and one for the clients; the same where there is one, or where nobody can choose."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]
    return cores[0], cores[-1]


CORES: Final = _two_cores()
"""Read once: what this process may use is narrowed when the first server starts."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: a client of it, and its database file."""

    client: httpx2.AsyncClient
    database: Path

    async def sign_up(self, email: str) -> None:
        """Make an account with the one password."""
        answer = await self.client.post("/auth/users", json={"email": email, "password": PASSWORD})
        answer.raise_for_status()

    async def log_in(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        """Ask for a token."""
        form = {"grant_type": "password", "username": email, "password": password}
        return await self.client.post("/auth/token", data=form)

    def change(self, email: str, **columns: object) -> None:
        """Write to an account behind the server's back."""
        assignments = ", ".join(f"{name} = ?" for name in columns)  # names from this package, never from input
        statement = f"UPDATE watchword_user SET {assignments} WHERE email = ?"  # noqa: S608 — see above
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(statement, (*columns.values(), email))


@asynccontextmanager
async def serving(environment: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """Start a server, and end it.

    Args:
        environment: Settings, such as a database that several servers share; else it has its own.

    Raises:
        RuntimeError: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory:
        port = _free_port()
        process = await _start(directory, port, environment or {})
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                await _wait(client, process)
                yield Server(client, Path(directory, "bench.db"))
        finally:
            await _stop(process)


async def _start(directory: str, port: int, settings: Mapping[str, str]) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("WATCHWORD_")}
    environment["WATCHWORD_DATABASE_URL"] = f"sqlite+aiosqlite:///{directory}/bench.db"
    environment["WATCHWORD_SECRET"] = secrets.token_urlsafe(32)
    environment |= settings
    command = ("-m", "uvicorn", "minimal:app", "--app-dir", str(_EXAMPLES), "--port", str(port))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, "--no-access-log", "--log-level", "warning", cwd=directory, env=environment
    )
    if sys.platform == "linux":  # its threads inherit the core, and so does the count of hashing threads
        os.sched_setaffinity(process.pid, {CORES[0]})
        os.sched_setaffinity(0, {CORES[1]})
    return process


async def _wait(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    for _ in range(_START_SECONDS * 10):
        if process.returncode is not None:
            break
        try:
            await client.get("/auth/jwks")
        except httpx2.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
