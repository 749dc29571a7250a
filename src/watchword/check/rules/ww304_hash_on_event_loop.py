"""WW304: a password hashed where all other requests wait for it."""

import ast
from collections.abc import Iterator

from watchword.check.call_graph import nodes_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.purposes import runs_once
from watchword.check.source import FunctionNode, Node
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each `async def` that a request runs and that hashes a password itself, or through plain functions."""
    for function in _async_functions(subject):
        for call in nodes_of(function, ast.Call):
            way = subject.password_calls.way_from(call, is_in_place=True)
            if way is not None:
                through = f", through {' and '.join(way)}" if way else ""
                message = f"{function.syntax.name} hashes a password on the event loop{through}"
                yield Found(call.location, message, Certainty.CERTAIN)
                break


def _async_functions(subject: Subject) -> Iterator[Node[FunctionNode]]:
    """Coroutines that handlers and dependencies run, themselves included, each once; of a first installation none."""
    seen: set[ast.AST] = set()
    waiting = [
        definition
        for route in subject.routes
        if not runs_once(route)
        for call in route.called()
        if (definition := subject.own(call)) is not None
    ]
    while waiting:
        function = waiting.pop(0)
        if isinstance(function.syntax, ast.AsyncFunctionDef) and function.syntax not in seen:
            seen.add(function.syntax)
            yield function
            waiting.extend(called.function for called in subject.calls.calls(function))


RULE = Rule(
    id="WW304",
    name="hash-on-event-loop",
    severity=Severity.WARNING,
    summary="A password is hashed on the event loop",
    why=(
        "A good hash takes tens to hundreds of milliseconds of computing. Inside `async def` nobody else is answered "
        "meanwhile: a handful of logins a second, wanted or not, stops the whole process."
    ),
    fix="Make the route or dependency a plain `def`, which FastAPI runs in a thread, or hash by `run_in_threadpool`.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
users: dict[str, str] = {}


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return hasher.verify(form.password, users[form.username])
""",
    good="""\
from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()
users: dict[str, str] = {}


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return await run_in_threadpool(hasher.verify, form.password, users[form.username])
""",
    references=("CWE-400",),
    check=check,
)
