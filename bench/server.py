"""The app that is measured: the opening example on a throw-away database, in a process and on a core of its own."""

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

EXAMPLES = Path(__file__).parents[1] / "examples"
PASSWORD = "correct horse battery staple"


def split_cores() -> tuple[set[int], set[int]]:
    """A core for the server and one for the load, where there are two."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]
    return {cores[0]}, {cores[-1]}


def free_port() -> int:
    """A free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[httpx2.AsyncClient, Path]]:
    """Start it, and give a client of it and its database file."""
    server_core, load_core = split_cores()
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            "PATH": os.environ["PATH"],
            "WATCHWORD_DATABASE_URL": f"sqlite+aiosqlite:///{directory}/bench.db",
            "WATCHWORD_SECRET": secrets.token_urlsafe(32),
        }
        command = (sys.executable, "-m", "uvicorn", "minimal:app", "--app-dir", str(EXAMPLES), "--no-access-log")
        process = await asyncio.create_subprocess_exec(
            *command, "--port", str(port), "--log-level", "warning", cwd=directory, env=environment
        )
        if sys.platform == "linux":
            os.sched_setaffinity(process.pid, server_core)
            os.sched_setaffinity(0, load_core)
        try:
            limits = httpx2.Limits(max_connections=100)
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60) as client:
                await answering(client)
                yield client, Path(directory, "bench.db")
        finally:
            process.terminate()
            await process.wait()


async def answering(client: httpx2.AsyncClient) -> None:
    """Wait until the server answers, for half a minute at most."""
    for _ in range(300):
        try:
            await client.get("/auth/jwks")
        except httpx2.TransportError:
            await asyncio.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


async def sign_up(client: httpx2.AsyncClient, email: str) -> None:
    """Make an account."""
    answer = await client.post("/auth/users", json={"email": email, "password": PASSWORD})
    answer.raise_for_status()


async def log_in(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> httpx2.Response:
    """Ask for a token."""
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post("/auth/token", data=form)
