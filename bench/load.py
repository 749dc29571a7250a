"""A load generator: keep-alive connections that each send the next request when the last one was answered.

It reads no more of an answer than its length and status, so that one core of it can fill a core of the server.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, again and again."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def encode(self, host: str) -> bytes:
        """The bytes on the wire (RFC 9112)."""
        headers = {"Host": host, **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + _HEAD_END + self.body


@dataclass(slots=True)
class Answers:
    """What came back."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, answers: Answers, until: float) -> None:
        self.request = request
        self.answers = answers
        self.until = until
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.transport: asyncio.Transport
        self.sent_at = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.sent_at = time.perf_counter()
        self.transport.write(self.request)

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(_HEAD_END)
        if end < 0:
            return
        start = self.buffer.lower().find(_LENGTH, 0, end)
        length = int(self.buffer[start + len(_LENGTH) : self.buffer.find(b"\r", start)]) if start >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        now = time.perf_counter()
        self.answers.latencies.append(now - self.sent_at)
        status = int(self.buffer[9:12])
        self.answers.statuses[status] = self.answers.statuses.get(status, 0) + 1
        self.buffer = b""
        if now >= self.until:
            self.transport.close()
        else:
            self.send()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # a server that closed is seen by who counts the answers
        if not self.ended.done():
            self.ended.set_result(None)


async def load(port: int, request: Request, *, connections: int, seconds: float) -> Answers:
    """Send a request over some connections for some seconds.

    Args:
        port: On 127.0.0.1.
        request: The same each time.
        connections: At once.
        seconds: How long.
    """
    started = time.perf_counter()
    answers = Answers(seconds, [], {})
    encoded = request.encode(f"127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(encoded, answers, started + seconds), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.ended for _, protocol in opened))
    answers.seconds = time.perf_counter() - started
    return answers
