"""WW106: 403 where nobody is authenticated yet."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from watchword.check.answers import refusal
from watchword.check.call_graph import nodes_of
from watchword.check.functions import defaults, parameters
from watchword.check.login_steps import missing
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node, argument
from watchword.check.subject import Subject

_CREDENTIAL: Final = re.compile(r"auth|bearer|token|jwt|credential|api_?key|access_?key", re.IGNORECASE)
_ANOTHER_PROOF: Final = re.compile(r"csrf|xsrf|captcha", re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?:HTTP(?:Base|Bearer|Basic|Digest)|OAuth2\w*|APIKey\w+|OpenIdConnect)")
_INVALID_TOKEN: Final = re.compile(r"(?:Py)?JWT\w*Error|Jose\w*Error|InvalidToken(?:Error)?|Expired\w*Signature\w*")
_FORBIDDEN: Final = 403


def check(subject: Subject) -> Iterator[Found]:
    """Each function that answers 403 for credentials that are missing or invalid, once."""
    seen: set[ast.AST] = set()
    for raised in subject.sources.all(ast.Raise):
        function = raised.source.function_of(raised.syntax) if _is_forbidden(subject, raised) else None
        if function is None or function in seen or _serves_websocket(function):
            continue
        if _is_told_not_to(raised, subject):
            continue
        for statements, why in _nobody(raised.source.node(function)):
            if any(inner is raised.syntax for statement in statements for inner in ast.walk(statement)):
                seen.add(function)
                message = f"{_name(raised.source.node(function))} answers 403 where {why}"
                yield Found(raised.location, message, Certainty.CERTAIN)
                break


def _serves_websocket(function: FunctionNode) -> bool:
    return any("WebSocket" in ast.unparse(p.annotation) for p in parameters(function) if p.annotation is not None)


def _is_forbidden(subject: Subject, raised: Node[ast.Raise]) -> bool:
    refused = None if raised.syntax.exc is None else refusal(raised.source.node(raised.syntax.exc), subject.sources)
    return refused is not None and refused.status == _FORBIDDEN


def _is_told_not_to(raised: Node[ast.Raise], subject: Subject) -> bool:
    """Whether it is raised under `if self.auto_error`, and the app makes what it stands in with `auto_error=False`."""
    above = list(raised.source.parents(raised.syntax))
    owner = raised.source.class_of(raised.syntax)
    tests = [node for parent in above if isinstance(parent, ast.If) for node in ast.walk(parent.test)]
    if owner is None or not any(isinstance(node, ast.Attribute) and node.attr == "auto_error" for node in tests):
        return False
    made = [call for call in subject.sources.all(ast.Call) if _makes(call, owner, subject)]
    told = [argument(call.syntax, "auto_error") for call in made]
    return bool(made) and all(isinstance(value, ast.Constant) and value.value is False for value in told)


def _makes(call: Node[ast.Call], owner: ast.ClassDef, subject: Subject) -> bool:
    return subject.sources.resolve(call.source.node(call.syntax.func)).syntax is owner


def _nobody(function: Node[FunctionNode]) -> Iterator[tuple[Sequence[ast.stmt], str]]:
    """What a function does where it knows of nobody, and why."""
    credentials = _credentials(function)
    for branch in nodes_of(function, ast.If):
        if any(isinstance(part, ast.Name) and part.id in credentials for part in missing(branch.syntax.test)):
            yield branch.syntax.body, "no credentials were sent"
    for handler in nodes_of(function, ast.ExceptHandler):
        kinds = handler.syntax.type
        names = [handler.source.name_of(kind) or "" for kind in ast.walk(kinds)] if kinds is not None else []
        if any(_INVALID_TOKEN.fullmatch(name.rpartition(".")[2]) for name in names):
            yield handler.syntax.body, "the token is invalid"
    if _is_call_of_scheme(function):
        yield function.syntax.body, "nobody is authenticated"


def _is_call_of_scheme(function: Node[FunctionNode]) -> bool:
    """Whether it is what a subclass of FastAPI's security schemes does for each request."""
    owner = next(function.source.parents(function.syntax), None)
    if function.syntax.name != "__call__" or not isinstance(owner, ast.ClassDef):
        return False
    names = ((function.source.name_of(base) or "").rpartition(".")[2] for base in owner.bases)
    return any(_SCHEME.fullmatch(name) for name in names)


def _credentials(function: Node[FunctionNode]) -> set[str]:
    """The variables that hold what a request was sent with to authenticate itself."""
    source, found = function.source, set()
    given = defaults(function.syntax)
    for parameter in parameters(function.syntax):
        places = [place for place in (parameter.annotation, given.get(parameter.arg)) if place is not None]
        calls = [node for place in places for node in ast.walk(place) if isinstance(node, ast.Call)]
        kinds = {(source.name_of(call.func) or "").rpartition(".")[2] for call in calls}
        if kinds & {"Header", "Cookie", "Depends", "Security"} and _is_credential(parameter.arg):
            found.add(parameter.arg)
    for name, value in source.assigned_in(function.syntax).items():
        read = {node.attr for node in ast.walk(value) if isinstance(node, ast.Attribute)}
        texts = {node.value for node in ast.walk(value) if isinstance(node, ast.Constant)}
        speaks = any(_is_credential(text) for text in (name, *texts) if isinstance(text, str))
        if read & {"headers", "cookies"} and speaks and isinstance(value, ast.Call | ast.Subscript):
            found.add(name)
    return found


def _is_credential(name: str) -> bool:
    return _CREDENTIAL.search(name) is not None and _ANOTHER_PROOF.search(name) is None


def _name(function: Node[FunctionNode]) -> str:
    owner = next(function.source.parents(function.syntax), None)
    return owner.name if isinstance(owner, ast.ClassDef) else function.syntax.name


RULE = Rule(
    id="WW106",
    name="forbidden-for-missing-credentials",
    severity=Severity.NOTE,
    summary="403 where nobody is authenticated",
    why=(
        "403 says: I know you, and you may not. Who sent no credentials, or a token that has expired, is told to try "
        "again with better ones by a 401; clients refresh their tokens at 401 and give up at 403."
    ),
    fix='Answer 401 with `headers={"WWW-Authenticate": "Bearer"}`; keep 403 for users who lack a right.',
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token", auto_error=False)


@app.get("/me")
async def me(token: str | None = Depends(bearer)):
    if token is None:
        raise HTTPException(403, "Not authenticated")
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token", auto_error=False)


@app.get("/me")
async def me(token: str | None = Depends(bearer)):
    if token is None:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
""",
    references=("RFC 9110 §15.5.2", "RFC 9110 §15.5.4", "RFC 6750 §3.1"),
    check=check,
)
