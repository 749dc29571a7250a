"""An app that is measured, running: a process on a core of its own, with a throw-away database."""

import asyncio
import os
import secrets
import socket
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

EMAIL: Final = "known@example.com"
PASSWORD: Final = "correct horse battery staple"
_ROOT: Final = Path(__file__).parents[1]
_THEIRS: Final = _ROOT / ".venv-bench" / "bin" / "python"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10


def _two_cores() -> tuple[int, int]:
    """A core for the server and one for the clients; the same where there is one, or where nobody can choose."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0]
    return cores[0], cores[-1]


CORES: Final = _two_cores()
"""Read once: what this process may use is narrowed when the first server starts."""


@dataclass(frozen=True, slots=True)
class App:
    """An app to run.

    Attributes:
        module: In `bench.peers`.
        is_ours: Whether it runs in our environment; the peers have one of their own.
        login: Where it logs people in; empty if it does not.
        client_id: What its token endpoint wants to know besides.
        is_wsgi: Whether it runs under gunicorn with threads, and not under uvicorn.
    """

    module: str
    is_ours: bool = False
    login: str = "/auth/token"
    client_id: str = ""
    is_wsgi: bool = False

    @property
    def form(self) -> dict[str, str]:
        """What each request to its token endpoint says of the client."""
        return {"client_id": self.client_id} if self.client_id else {}

    def command(self, port: int, workers: int) -> tuple[str, ...]:
        """How to start it: as its users would, tuned alike."""
        python = sys.executable if self.is_ours else str(_THEIRS)
        target = f"bench.peers.{self.module}:app"
        if self.is_wsgi:
            where = ("--bind", f"127.0.0.1:{port}", "--workers", str(workers))
            return (python, "-m", "gunicorn", target, *where, "--threads", "8", "--log-level", "warning")
        how = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
        return (python, "-m", "uvicorn", target, "--port", str(port), "--workers", str(workers), *how)


OURS: Final = App("ours", is_ours=True)
BARE: Final = App("bare", is_ours=True, login="")


@dataclass(frozen=True, slots=True)
class Server:
    """A running app: a client of it, and where its files are."""

    app: App
    port: int
    pid: int
    client: httpx2.AsyncClient
    directory: Path

    async def sign_up(self, email: str = EMAIL) -> None:
        """Make an account with the one password; the peers make theirs when they start."""
        if self.app.is_ours and self.app.login:
            answer = await self.client.post("/auth/users", json={"email": email, "password": PASSWORD})
            answer.raise_for_status()

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> httpx2.Response:
        """Ask for a token."""
        form = {"grant_type": "password", "username": email, "password": password}
        return await self.client.post(self.app.login, data={**form, **self.app.form})

    async def bearer(self, email: str = EMAIL) -> dict[str, str]:
        """The headers of a login; none where there is nothing to log in to."""
        if not self.app.login:
            return {}
        answer = (await self.log_in(email)).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def change(self, email: str, **columns: object) -> None:
        """Write to an account of ours behind the server's back."""
        assignments = ", ".join(f"{name} = ?" for name in columns)  # names from this package, never from input
        statement = f"UPDATE watchword_user SET {assignments} WHERE email = ?"  # noqa: S608 — see above
        with closing(sqlite3.connect(self.directory / "bench.db")) as connection, connection:
            connection.execute(statement, (*columns.values(), email))


@asynccontextmanager
async def serving(
    app: App = OURS,
    settings: Mapping[str, str] | None = None,
    *,
    workers: int = 1,
    directory: str | None = None,
    is_pinned: bool = True,
) -> AsyncIterator[Server]:
    """Start an app, wait for its first answer, and end it.

    Args:
        app: Which.
        settings: Environment variables, such as a database that several servers share; else it has its own.
        workers: Processes.
        directory: Where its files are; else they are thrown away.
        is_pinned: Whether the server has one core alone; else it has both.

    Raises:
        RuntimeError: It does not start, or its environment is not there.
    """
    if not app.is_ours and not _THEIRS.exists():
        raise RuntimeError("the peers have no environment yet: run `make bench`")
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as temporary:
        here = Path(directory or temporary)
        port, said = free_port(), here / "said"
        with said.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *app.command(port, workers),
                cwd=here,
                env=_environment(here, settings or {}),
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )
        pin(process.pid, (CORES[0],) if is_pinned else CORES)
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
                if not await _listens(port, process):
                    raise RuntimeError(f"{app.module} did not start: {said.read_text(errors='replace')[-2000:]}")
                yield Server(app, port, process.pid, client, here)
        finally:
            await stop(process)


def pin(pid: int, cores: Sequence[int] = CORES[:1]) -> None:
    """Give a process the one core, or those that are named, and this one the other."""
    if sys.platform == "linux":  # its threads inherit the core, and so does the count of hashing threads
        os.sched_setaffinity(pid, cores)  # a server of several processes would inherit the one that this one has
        os.sched_setaffinity(0, {CORES[1]})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def stop(process: asyncio.subprocess.Process) -> None:
    """End a process, if need be by force."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment(directory: Path, settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("WATCHWORD_")}
    return {
        **kept,
        "BENCH_DATABASE": str(directory / "bench.db"),
        "WATCHWORD_DATABASE_URL": f"sqlite+aiosqlite:///{directory}/bench.db",
        "WATCHWORD_RATE_LIMITS": "false",
        "WATCHWORD_SECRET": secrets.token_urlsafe(32),
        "PYTHONPATH": str(_ROOT),
        **settings,
    }


async def _listens(port: int, process: asyncio.subprocess.Process) -> bool:
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while process.returncode is None and asyncio.get_running_loop().time() < deadline:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.002)
        else:
            writer.close()
            return True
    return False
