"""An app asked in process, as a server would ask it: its lifespan around it, one request after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchword.check.errors import CheckError

_LONGEST_START: Final = 30.0  # s; migrations may run in it
_LONGEST_STOP: Final = 5.0
_LONGEST_ANSWER: Final = 3.0
_LONGEST_AFTERWARDS: Final = 1.0  # background tasks, which run after the answer
_LARGEST_BODY: Final = 64 * 1024
_CLIENT: Final = ("203.0.113.7", 40000)  # of no network (RFC 5737): nobody trusts it, as some trust 127.0.0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: Its status.
        headers: By lower-case name; the last counts.
        body: Its beginning.
        seconds: Until it was complete.
        cpu_seconds: What the process worked for it meanwhile, all threads together: hashing shows here, and other
            programs on the machine do not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    cpu_seconds: float

    @property
    def is_success(self) -> bool:
        """Whether it is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 — what 2xx means

    @property
    def is_refusal(self) -> bool:
        """Whether it sends the caller away: to a login page, or for what it sent. 404 and 429 say nothing of that."""
        return 300 <= self.status < 500 and self.status not in {304, 404, 405, 429}  # noqa: PLR2004 — 3xx and 4xx

    @property
    def text(self) -> str:
        """Its body, as far as it can be read."""
        return self.body.decode(errors="replace")


@dataclass(eq=False)
class RunningApp:
    """An app between its start and its end."""

    app: ASGIApp
    host: str
    state: dict[str, Any] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, *, query: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer | None:
        """Send one request; None where no complete answer came in time, or none at all."""
        sent = {"host": self.host, "accept": "application/json, text/html;q=0.9, */*;q=0.8", **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": _CLIENT,
            "server": (self.host, 443),
            "state": dict(self.state),
        }
        exchange = _Exchange(body)
        running = asyncio.create_task(_errors_of(self.app, scope, exchange.receive, exchange.send))
        await _first_of(running, exchange.is_complete, _LONGEST_ANSWER)
        if exchange.answer is not None:
            await asyncio.wait({running}, timeout=_LONGEST_AFTERWARDS)
        await _cut_off(running)
        return exchange.answer


class _Exchange:
    """One request's body on the way in, and its answer on the way out."""

    def __init__(self, body: bytes) -> None:
        self.is_complete = asyncio.Event()
        self.answer: Answer | None = None
        self._waiting = [{"type": "http.request", "body": body, "more_body": False}]
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = b""
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    async def receive(self) -> Message:
        if self._waiting:
            return self._waiting.pop()
        await self.is_complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]
            }
        elif message["type"] == "http.response.body":
            self._body = (self._body + message.get("body", b""))[:_LARGEST_BODY]
            if not message.get("more_body", False):
                seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu_began
                self.answer = Answer(self._status, self._headers, self._body, seconds, cpu)
                self.is_complete.set()


@asynccontextmanager
async def started(app: ASGIApp, *, host: str = "localhost") -> AsyncIterator[RunningApp]:
    """Start an app, and stop it afterwards.

    Raises:
        CheckError: It does not start; the text says why, as far as it says so.
    """
    running = RunningApp(app, host)
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": running.state}
    lifespan = asyncio.create_task(_errors_of(app, scope, to_app.get, from_app.put))
    try:
        await _start(lifespan, to_app, from_app)
        yield running
        to_app.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait({lifespan}, timeout=_LONGEST_STOP)
    finally:
        await _cut_off(lifespan)


async def _start(
    lifespan: "asyncio.Task[BaseException | None]", to_app: "asyncio.Queue[Message]", from_app: "asyncio.Queue[Message]"
) -> None:
    to_app.put_nowait({"type": "lifespan.startup"})
    answer = asyncio.create_task(from_app.get())
    await asyncio.wait({lifespan, answer}, timeout=_LONGEST_START, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        if not lifespan.done():
            raise CheckError(f"the app did not start within {_LONGEST_START:.0f} s, so it could not be asked")
    elif answer.result()["type"] == "lifespan.startup.complete":
        return
    await asyncio.wait({lifespan}, timeout=1)
    error = lifespan.result() if lifespan.done() else None
    said = answer.result().get("message", "") if answer.done() and not answer.cancelled() else ""
    why = f"{type(error).__name__}: {error}" if error is not None else (said.strip().splitlines() or ["no reason"])[-1]
    raise CheckError(
        f"the app did not start, so it could not be asked: {why} – set what it needs, such as a database, and try again"
    )


async def _errors_of(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> BaseException | None:
    """Run an app; what it raises comes back, for the server's part is not to fall over."""
    try:
        await app(scope, receive, send)
    except (Exception, SystemExit) as error:  # noqa: BLE001 — whatever somebody's app raises
        return error
    return None


async def _first_of(task: "asyncio.Task[Any]", event: asyncio.Event, seconds: float) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({task, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _cut_off(task: "asyncio.Task[Any]") -> None:
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_LONGEST_AFTERWARDS)
