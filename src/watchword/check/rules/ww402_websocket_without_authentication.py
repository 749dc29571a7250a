"""WW402: a WebSocket that anybody may open, in an app that guards other routes."""

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.access import Access
from watchword.check.credentials import is_credential
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.purposes import guards_anything, is_public_on_purpose, own_routes
from watchword.check.routes import AppRoute
from watchword.check.source import Node
from watchword.check.subject import Subject

_ASKS: Final = re.compile(
    r"auth|current_?user|get_user|verif|ticket|log_?in|session|permission|credential", re.IGNORECASE
)


def check(subject: Subject) -> Iterator[Found]:
    """Each WebSocket of the app's own in which nothing looks like asking who is there."""
    if not guards_anything(subject):
        return
    for route in own_routes(subject):
        handler = subject.handler(route)
        if not route.is_websocket or handler is None or _asks(route, handler, subject) or is_public_on_purpose(route):
            continue
        message = f"the WebSocket {route.path} is opened by anybody, while other routes are guarded"
        yield Found(subject.location(route), message, Certainty.LIKELY, route.name)


def _asks(route: AppRoute, handler: Node[Any], subject: Subject) -> bool:
    if subject.protection(route).access is not Access.PUBLIC or subject.behaviours.of(route.endpoint).reads:
        return True
    called = (subject.behaviours.when_called(dependency.call) for dependency in route.all_dependencies())
    if any(behaviour.reads or behaviour.refuses for behaviour in called):
        return True
    taken = [p.alias for p in route.parameters] + re.findall(r"\{(\w+)", route.path)
    if any(is_credential(name) for name in taken):
        return True
    functions = (node.func for node in ast.walk(handler.syntax) if isinstance(node, ast.Call))
    return any(_ASKS.search(ast.unparse(function)) for function in functions)


RULE = Rule(
    id="WW402",
    name="websocket-without-authentication",
    severity=Severity.WARNING,
    summary="A WebSocket asks nobody who they are",
    why=(
        "Browsers open WebSockets to any origin, and cookies go along unasked. What is sent through one that asks "
        "nobody goes to whoever opened it, from whichever page."
    ),
    fix=(
        "Ask before accept(): a dependency that reads a cookie, a header or a short-lived ticket, and that closes with "
        "1008; check the Origin where it is a cookie."
    ),
    bad="""\
from fastapi import Depends, FastAPI, WebSocket
from fastapi.security import HTTPBearer

app = FastAPI()


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders(): ...


@app.websocket("/orders/live")
async def live(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_json({"orders": []})
""",
    good="""\
from fastapi import Cookie, Depends, FastAPI, WebSocket, WebSocketException
from fastapi.security import HTTPBearer

app = FastAPI()
SESSIONS = {}


def logged_in(session: str = Cookie("")):
    if session not in SESSIONS:
        raise WebSocketException(1008)


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders(): ...


@app.websocket("/orders/live", dependencies=[Depends(logged_in)])
async def live(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_json({"orders": []})
""",
    references=("RFC 6455 §10.5", "CWE-306"),
    check=check,
)
