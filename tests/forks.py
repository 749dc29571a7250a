"""Processes that start from one which has imported everything: a fork takes 10 ms, where an interpreter takes a second.

They have their own folder, environment and files, and end as any process does. `python -m tests.forks` is that one.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_PRELOADED = """
    aiosqlite alembic.command asyncpg httptools httpx2 rich.progress uvicorn uvloop watchword.serve
    watchword.cli.api_keys watchword.cli.clients watchword.cli.commands watchword.cli.database watchword.cli.imports
    watchword.cli.resealing
    watchword.cli.serving watchword.cli.users
"""
PYTEST_OPTIONS = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""For a pytest that is forked: it would complain that its plugin was imported before."""


class Forked:
    """A process, as `subprocess.Popen` would have it."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status
        self.pid = int(status.recv(32))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return its status; minus the signal that ended it."""
        if self.returncode is None:
            self._status.settimeout(timeout)
            try:
                self.returncode = int(self._status.recv(32))
            except TimeoutError:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0) from None
            self._status.close()
        return self.returncode

    def poll(self) -> int | None:
        """Its status, if it has ended."""
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def start(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdout: IO[Any],
    stderr: IO[Any],
    stdin: IO[Any] | None = None,
    new_session: bool = False,
) -> Forked:
    """Start `python -m …`: the module's name, and its arguments."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    job = {"arguments": [str(one) for one in arguments], "cwd": str(cwd), "env": dict(env), "new_session": new_session}
    with theirs, Path(os.devnull).open() as nothing:
        files = [theirs.fileno(), (stdin or nothing).fileno(), stdout.fileno(), stderr.fileno()]
        socket.send_fds(_origin(), [json.dumps(job).encode()], files)
    return Forked(ours)


def run(
    *arguments: str, cwd: Path, env: Mapping[str, str], stdin: str = "", timeout: float = 120
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m …` to its end."""
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        given.write(stdin)
        given.seek(0)
        process = start(arguments, cwd=cwd, env=env, stdin=given, stdout=out, stderr=err)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(arguments), status, out.read(), err.read())


@functools.cache
def _origin() -> socket.socket:
    """The process that all are forked from; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forks", str(theirs.fileno())],
            cwd=Path(__file__).parents[1],
            env={"PATH": os.environ["PATH"], "COLUMNS": "200"},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _fork_on_demand(control: socket.socket) -> list[str]:
    """Fork for each job that comes, until there is nobody left to ask; return in each fork what it is to run."""
    while True:
        message, files, _flags, _address = socket.recv_fds(control, 1 << 20, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    control.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status, *standard = files
    job = json.loads(message)
    pid = os.fork()
    if pid:  # this one tells how that one ends
        for file in standard:
            os.close(file)
        os.write(status, str(pid).encode())
        os.write(status, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
        os._exit(0)
    os.close(status)
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    if job["new_session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    sys.path[0] = job["cwd"]
    arguments: list[str] = job["arguments"]
    return arguments


if __name__ == "__main__":
    for module in _PRELOADED.split():
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who tell of an end are not waited for
    gc.freeze()  # or a look for garbage, at each fork's end too, would copy every page of what was imported
    sys.argv = _fork_on_demand(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
