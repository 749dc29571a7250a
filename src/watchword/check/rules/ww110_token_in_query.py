"""WW110: a credential taken from the address."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi.security import APIKeyQuery

from watchword.check.callables import name_of
from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.purposes import is_one_time_link, own_routes
from watchword.check.routes import AppRoute, Dependency, Parameter
from watchword.check.source import Node
from watchword.check.sources import Sources
from watchword.check.subject import Subject
from watchword.check.walking import walk

_CREDENTIAL: Final = re.compile(
    r"^((access|auth|bearer|id|session|user|jwt|api|refresh|x)[-_]?)*(token|jwt)$|^(x[-_])?(api|access|secret)[-_]?key$",
    re.IGNORECASE,
)
_PASSWORD: Final = re.compile(r"^(user_?)?(password|passwd|pwd)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A credential that a function takes from the query, and where."""

    location: Location
    name: str
    by: str


def check(subject: Subject) -> Iterator[Found]:
    """Each place that takes one, with a route that it is for."""
    routes: dict[_Taken, list[AppRoute]] = {}
    schemes: dict[int, Location | None] = {}
    for route in own_routes(subject):
        if not is_one_time_link(route):
            for taken in _taken(route, subject, schemes):
                routes.setdefault(taken, []).append(route)
    for taken, using in routes.items():
        message = f"{taken.by} takes {taken.name!r} from the query string of {using[0].name}"
        if all(route.is_websocket for route in using):  # a browser cannot send a header there
            yield Found(taken.location, message, Certainty.POSSIBLE, severity=Severity.NOTE)
        else:
            yield Found(taken.location, message, Certainty.CERTAIN)


def _taken(route: AppRoute, subject: Subject, schemes: dict[int, Location | None]) -> Iterator[_Taken]:
    for dependency in route.dependencies:
        yield from _by_dependency(dependency, subject, schemes, is_guarded=False)
    handler = subject.handler(route)
    if handler is None:
        return
    yield from _by_parameters(route.endpoint, route.parameters, subject, _PASSWORD)
    is_guarded = any(guard.call is not route.endpoint for guard in subject.protection(route).guards)
    if subject.behaviours.of(route.endpoint).refuses and not is_guarded:  # else it is a token for something else
        yield from _by_parameters(route.endpoint, route.parameters, subject, _CREDENTIAL)
        yield from _by_reading(handler, route.endpoint, subject.sources)


def _by_dependency(
    dependency: Dependency, subject: Subject, schemes: dict[int, Location | None], *, is_guarded: bool
) -> Iterator[_Taken]:
    """What a tree takes in which something refuses."""
    call = dependency.call
    if isinstance(call, APIKeyQuery):
        if id(call) not in schemes:
            schemes[id(call)] = _declaration(call, subject)
        location = schemes[id(call)]
        if location is not None:
            yield _Taken(location, call.model.name, "APIKeyQuery")
        return
    is_guarded = is_guarded or subject.behaviours.when_called(call).refuses
    definition = subject.own(call)
    if definition is not None:
        yield from _by_parameters(call, dependency.parameters, subject, _PASSWORD)
        if is_guarded:
            yield from _by_parameters(call, dependency.parameters, subject, _CREDENTIAL)
            yield from _by_reading(definition, call, subject.sources)
    for inner in dependency.dependencies:
        yield from _by_dependency(inner, subject, schemes, is_guarded=is_guarded)


def _by_parameters(
    call: Callable[..., Any], parameters: tuple[Parameter, ...], subject: Subject, wanted: re.Pattern[str]
) -> Iterator[_Taken]:
    definition = subject.own(call)
    if definition is None:
        return
    for parameter in parameters:
        if parameter.kind == "query" and wanted.search(parameter.alias):
            named = (n for n in ast.walk(definition.syntax) if isinstance(n, ast.arg) and n.arg == parameter.name)
            place: ast.AST = next(named, definition.syntax)
            yield _Taken(definition.source.location(place), parameter.alias, name_of(call))


def _by_reading(definition: Node[Any], call: Callable[..., Any], sources: Sources) -> Iterator[_Taken]:
    """`request.query_params.get("token")`."""
    for node in walk(definition.syntax):
        match node:
            case (
                ast.Subscript(value=ast.Attribute(attr="query_params"), slice=key)
                | ast.Call(func=ast.Attribute(value=ast.Attribute(attr="query_params"), attr="get"), args=[key, *_])
            ):
                name = sources.constant(definition.source.node(key))
                if isinstance(name, str) and _CREDENTIAL.search(name):
                    yield _Taken(definition.source.location(node), name, name_of(call))


def _declaration(scheme: APIKeyQuery, subject: Subject) -> Location | None:
    """Where the app makes the scheme."""
    for call in subject.sources.all(ast.Call):
        if (call.source.name_of(call.syntax.func) or "").rpartition(".")[2] == type(scheme).__name__:
            values = (keyword.value for keyword in call.syntax.keywords if keyword.arg == "name")
            if any(subject.sources.constant(call.source.node(value)) in {scheme.model.name, ...} for value in values):
                return call.location
    return None


RULE = Rule(
    id="WW110",
    name="token-in-query",
    severity=Severity.WARNING,
    summary="A credential is taken from the query string",
    why=(
        "Addresses are written down everywhere: in the logs of every proxy, in the browser's history, in the Referer "
        "of the next page. A token in one is read by people who were never to see it, long after."
    ),
    fix="Take it from the Authorization header, or another one. What must be a link gets a token for that one thing.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import APIKeyQuery

app = FastAPI()
key = APIKeyQuery(name="api_key")


@app.get("/orders", dependencies=[Depends(key)])
def orders(): ...
""",
    good="""\
from fastapi import Depends, FastAPI
from fastapi.security import APIKeyHeader

app = FastAPI()
key = APIKeyHeader(name="X-API-Key")


@app.get("/orders", dependencies=[Depends(key)])
def orders(): ...
""",
    references=("RFC 6750 §5.3", "RFC 9700 §4.3.2", "CWE-598"),
    check=check,
)
