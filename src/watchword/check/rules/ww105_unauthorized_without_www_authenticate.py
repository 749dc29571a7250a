"""WW105: 401 that does not say how to authenticate."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Final

from watchword.check.bare_refusals import HEADER, bare_refusals, takes_header
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject

_MOST: Final = 5  # more than this is one habit and one finding: nobody reads forty lines that say the same


def check(subject: Subject) -> Iterator[Found]:
    """Each such answer of an app that reads the Authorization header; one finding where it is a habit."""
    if not _takes_authorization_header(subject) or _adds_it_to_all(subject):
        return
    refusals = list(bare_refusals(subject))
    guards, logins = _run_by_routes(subject) if refusals else (Counter[ast.AST](), set[ast.AST]())
    if len(refusals) > _MOST:
        first = max(refusals, key=lambda refusal: 0 if refusal.function is None else guards[refusal.function])
        message = f"401 is answered without WWW-Authenticate in {len(refusals)} places at least; this is one of them"
        yield Found(first.location, message, Certainty.CERTAIN)
        return
    for refusal in refusals:
        is_login = refusal.function in logins and not guards[refusal.function]
        message = f"{refusal.what} 401 without WWW-Authenticate"
        yield Found(refusal.location, message, Certainty.CERTAIN, severity=Severity.NOTE if is_login else None)


def _run_by_routes(subject: Subject) -> tuple[Counter[ast.AST], set[ast.AST]]:
    """How many routes run a function, and which of them a login runs, that has no header to challenge for."""
    guards, logins = Counter[ast.AST](), set[ast.AST]()
    for route in subject.routes:
        functions = [function.syntax for function in subject.functions(route)]
        if route in subject.login_routes:
            logins.update(functions)
        else:
            guards.update(functions)
    return guards, logins


def _takes_authorization_header(subject: Subject) -> bool:
    for route in subject.routes:
        for dependency in route.all_dependencies():
            call = dependency.call
            if subject.own(call) is None and takes_header(call):
                return True
            if "Authorization header" in subject.behaviours.of(call).reads:
                return True
    layers = {layer for route in subject.routes for layer in route.layers()}
    own = (definition for layer in layers if (definition := subject.own(layer)) is not None)
    return any("Authorization header" in subject.behaviours.of_definition(definition).reads for definition in own)


def _adds_it_to_all(subject: Subject) -> bool:
    """Whether an exception handler or a middleware of the app's own speaks of the header."""
    calls = {handler for _kind, handler in subject.exception_handlers}
    calls.update(layer for route in subject.routes for layer in route.layers())
    own = (subject.own(call) for call in calls)
    return any(
        HEADER in text.lower()
        for definition in own
        if definition is not None
        for text in subject.sources.literals(definition)
    )


RULE = Rule(
    id="WW105",
    name="unauthorized-without-www-authenticate",
    severity=Severity.WARNING,
    summary="401 without `WWW-Authenticate`",
    why=(
        "A 401 must say how to authenticate, and for bearer tokens whether the token was missing, invalid or short of "
        "a scope. Without it clients cannot tell when to refresh, and some give up."
    ),
    fix='Add `headers={"WWW-Authenticate": "Bearer"}`, best in one exception that all raise.',
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
sessions: dict[str, str] = {}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    if token not in sessions:
        raise HTTPException(401, "Invalid token")
    return sessions[token]
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
sessions: dict[str, str] = {}


@app.get("/me")
async def me(token: str = Depends(bearer)):
    if token not in sessions:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return sessions[token]
""",
    references=("RFC 9110 §15.5.2", "RFC 9110 §11.6.1", "RFC 6750 §3"),
    check=check,
)
