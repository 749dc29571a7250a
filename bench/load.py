"""A load generator: keep-alive connections, each with a conversation of its own.

It reads no more of an answer than it must, so that one core of it can fill a core of the server.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any, Final

from typing_extensions import override

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "

Conversation = Callable[[bytes | None], bytes]
"""The body of the last answer, None at the beginning → the next request, as it goes over the wire."""


def request(
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    *,
    form: str = "",
    content: Any = None,  # noqa: ANN401 — JSON
) -> bytes:
    """A request as it goes over the wire (RFC 9112)."""
    body = form.encode() if form else b"" if content is None else json.dumps(content).encode()
    fields = {"Host": "127.0.0.1", **(headers or {})}
    if body:
        fields["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + _HEAD_END + body


def again(sent: bytes) -> Conversation:
    """The same request each time."""
    return lambda _answer: sent


@dataclass(slots=True)
class Answers:
    """What came back."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def milliseconds(self, percentile: int) -> float:
        """How long that many of a hundred took at most."""
        return 1000 * quantiles(self.latencies, n=100)[percentile - 1]


class _Connection(asyncio.Protocol):
    def __init__(self, on_answer: Callable[[int, bytes], bytes | None], first: bytes | None = None) -> None:
        self.on_answer = on_answer
        self.first = first
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.is_over = False
        self.transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.first is not None:
            transport.write(self.first)

    @override
    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        end = self.buffer.find(_HEAD_END)
        if end < 0:
            return
        start = self.buffer.lower().find(_LENGTH, 0, end)
        length = int(self.buffer[start + len(_LENGTH) : self.buffer.find(b"\r", start)]) if start >= 0 else 0
        end += len(_HEAD_END)
        if len(self.buffer) < end + length:
            return
        answer, self.buffer = self.buffer, b""
        try:
            following = self.on_answer(int(answer[9:12]), answer[end:])
        except Exception as error:  # noqa: BLE001 — whoever waits for the end of the conversation is told
            self.fail(error)
            return
        if following is None:
            self.is_over = True
            self.transport.close()
        else:
            self.transport.write(following)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.is_over and not self.ended.done():
            self.ended.set_result(None)
        self.fail(exc or ConnectionError("the server hung up"))

    def fail(self, error: Exception) -> None:
        self.transport.abort()
        if not self.ended.done():
            self.ended.set_exception(error)
            self.ended.exception()  # told to whoever waits; if nobody does, there is nothing to complain of


async def load(
    port: int,
    conversations: Sequence[Conversation],
    *,
    seconds: float,
    over: asyncio.Event | None = None,
) -> Answers:
    """Hold conversations for some seconds, each on a connection of its own, each without a pause.

    Args:
        port: On 127.0.0.1.
        conversations: They go on where they were, if they remember that.
        seconds: How long.
        over: Ends them before that, whatever is unanswered. A server that hangs up is then no error, either: what it
            answered is counted.

    Raises:
        ConnectionError: The server hung up.
    """
    started = time.perf_counter()
    answers = Answers()
    loop = asyncio.get_running_loop()
    connections = [_talk(conversation, answers, started + seconds) for conversation in conversations]
    for connection in connections:
        await loop.create_connection(lambda connection=connection: connection, "127.0.0.1", port)  # type: ignore[misc]
    if over is None:
        await asyncio.gather(*(connection.ended for connection in connections))
    else:
        await over.wait()
        for connection in connections:
            connection.is_over = True
            connection.transport.abort()
    answers.seconds = time.perf_counter() - started
    return answers


def _talk(conversation: Conversation, answers: Answers, until: float) -> _Connection:
    sent_at = time.perf_counter()

    def on_answer(status: int, body: bytes) -> bytes | None:
        nonlocal sent_at
        now = time.perf_counter()
        answers.latencies.append(now - sent_at)
        answers.statuses[status] += 1
        following = conversation(body)
        if now >= until:
            return None
        sent_at = time.perf_counter()
        return following

    return _Connection(on_answer, conversation(None))


async def probe(port: int, sent: bytes, *, rate: int, seconds: float, patience: float = 10) -> Answers:
    """Send a request at a steady rate, whatever becomes of those before: a slow answer hides no other.

    Args:
        port: On 127.0.0.1.
        sent: The request.
        rate: Requests a second.
        seconds: How long.
        patience: Seconds after the last one until what is unanswered counts as having taken that long.
    """
    answers = Answers()
    free: list[_Connection] = []
    opened: list[_Connection] = []
    pending: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()

    async def once() -> None:
        started = time.perf_counter()
        answered: asyncio.Future[int] = loop.create_future()
        while free and free[-1].ended.done():  # the server hung up on it, as it does after five idle seconds
            free.pop()
        if free:
            connection = free.pop()
        else:
            connection = _Connection(lambda _status, _body: b"")
            await loop.create_connection(lambda: connection, "127.0.0.1", port)
            opened.append(connection)

        def on_answer(status: int, _body: bytes) -> bytes:
            if not answered.done():
                answered.set_result(status)
            return b""

        connection.on_answer = on_answer
        connection.transport.write(sent)
        answers.statuses[await answered] += 1
        answers.latencies.append(time.perf_counter() - started)
        free.append(connection)

    started = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        task = loop.create_task(once())
        pending.add(task)
        task.add_done_callback(pending.discard)
    if pending:
        await asyncio.wait(pending, timeout=patience)
    for task in list(pending):
        task.cancel()
        answers.latencies.append(patience)
        answers.statuses[0] += 1
    answers.seconds = time.perf_counter() - started
    for connection in opened:
        connection.is_over = True
        connection.transport.close()
    return answers
