"""Examples as their reader runs them: in processes of their own, over loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest
from tests import forks

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent
START_SECONDS = 60

Serve = Callable[..., httpx2.Client]


def environment(**settings: str) -> dict[str, str]:
    """The environment of a fresh shell: none of Watchword's variables but these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    return {**inherited, **settings, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


def run(*command: str | Path, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; what it tells is in one piece."""
    ran = forks.run(*map(str, command), cwd=cwd, env=environment(**settings))
    ran.stdout += ran.stderr
    return ran


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> Iterator[httpx2.Client]:
    """A server of its own process group, started and ended here."""
    port = free_port()
    with (cwd.parent / f"server-{port}.log").open("w+") as log:
        process = forks.start(
            [*map(str, command), "--host", "127.0.0.1", "--port", str(port)],
            cwd=cwd,
            env=env,
            stdout=log,
            stderr=log,
            new_session=True,  # `fastapi dev` has children
        )
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                _wait(client, process, Path(log.name))
                yield client
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(client: httpx2.Client, process: forks.Forked, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.get("/openapi.json").raise_for_status()
            return
        except httpx2.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start:\n{log.read_text()}", pytrace=False)
            time.sleep(0.05)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server; a client for it, once it answers."""
    with ExitStack() as servers:

        def start(*command: str | Path, cwd: Path, **settings: str) -> httpx2.Client:
            return servers.enter_context(serving(command, cwd=cwd, env=environment(**settings)))

        yield start


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def orders_project(tmp_path: Path) -> Path:
    """A copy of the orders example, so that nothing is left in the repository."""
    rubbish = shutil.ignore_patterns("*.db*", "*.secret", "__pycache__", ".*")
    return Path(shutil.copytree(EXAMPLES / "orders", tmp_path / "orders", ignore=rubbish))
