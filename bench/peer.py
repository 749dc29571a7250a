"""A peer, running: an app of `bench/peers` in a process and on a core of its own, under uvicorn as all of them."""

import asyncio
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from bench.server import CORES, PASSWORD

_ROOT: Final = Path(__file__).parents[1]
_THEIRS: Final = _ROOT / ".venv-bench" / "bin" / "python"
_EMAIL: Final = "known@example.com"
_START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """An app to run.

    Attributes:
        module: In `bench.peers`.
        is_ours: Whether it runs in our environment; the peers have one of their own.
        login: Where it logs people in; empty if it does not.
    """

    module: str
    is_ours: bool = False
    login: str = "/auth/token"


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that answers."""

    peer: Peer
    port: int

    async def log_in(self) -> dict[str, str]:
        """The headers of a login; none where there is nothing to log in to."""
        if not self.peer.login:
            return {}
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False) as client:
            if self.peer.is_ours:
                await client.post("/auth/users", json={"email": _EMAIL, "password": PASSWORD})
            form = {"grant_type": "password", "username": _EMAIL, "password": PASSWORD}
            answer = (await client.post(self.peer.login, data=form)).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@asynccontextmanager
async def running(peer: Peer) -> AsyncIterator[RunningPeer]:
    """Start a peer, and end it.

    Raises:
        RuntimeError: It does not start, or its environment is not there.
    """
    python = sys.executable if peer.is_ours else str(_THEIRS)
    if not peer.is_ours and not _THEIRS.exists():
        raise RuntimeError("the peers have no environment yet: run `make bench`")
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        probe.close()
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("WATCHWORD_")}
        environment |= {
            "BENCH_DATABASE": f"{directory}/bench.db",
            "WATCHWORD_DATABASE_URL": f"sqlite+aiosqlite:///{directory}/bench.db",
            "WATCHWORD_SECRET": secrets.token_urlsafe(32),
            "PYTHONPATH": str(_ROOT),
        }
        command = ("-m", "uvicorn", f"bench.peers.{peer.module}:app", "--port", str(port), "--no-access-log")
        process = await asyncio.create_subprocess_exec(
            python, *command, "--log-level", "warning", "--loop", "uvloop", "--http", "httptools",
            cwd=directory, env=environment,
        )  # fmt: skip
        if sys.platform == "linux":
            os.sched_setaffinity(process.pid, {CORES[0]})
            os.sched_setaffinity(0, {CORES[1]})
        try:
            await _wait(port, process)
            yield RunningPeer(peer, port)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _wait(port: int, process: asyncio.subprocess.Process) -> None:
    for _ in range(_START_SECONDS * 20):
        if process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("it did not start")
