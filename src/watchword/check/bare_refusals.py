"""Answers of 401 that do not say how to authenticate."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi.security import HTTPBearer, OAuth2, OpenIdConnect
from fastapi.security.http import HTTPBase

from watchword.check.answers import is_http_exception, refusal, status_of
from watchword.check.callables import name_of
from watchword.check.functions import parameters
from watchword.check.model import Location
from watchword.check.source import FunctionNode, Node, argument
from watchword.check.subject import Subject
from watchword.check.walking import walk

HEADER: Final = "www-authenticate"
_UNAUTHORIZED: Final = 401
_RESPONSE: Final = re.compile(r"(fastapi|starlette)\.(responses\.(JSON|ORJSON|UJSON|PlainText|)Response|Response)")


@dataclass(frozen=True, slots=True, eq=False)
class BareRefusal:
    """One of them.

    Attributes:
        location: Where it is made.
        function: In which function.
        what: Who answers so, in a sentence without its end: `get_user answers`.
    """

    location: Location
    function: FunctionNode | None
    what: str


def bare_refusals(subject: Subject) -> Iterator[BareRefusal]:
    """Every one, in the order of the files, and then the exceptions that a handler turns into one."""
    given = _given_the_header(subject)
    for call in subject.sources.all(ast.Call):
        if (_is_bare_exception(subject, call) or _is_bare_response(call)) and not _is_elsewhere(subject, call, given):
            function = call.source.function_of(call.syntax)
            if function is None or not _is_dead(subject, call.source.node(function)):
                who = "This module" if function is None else function.name
                yield BareRefusal(call.location, function, f"{who} answers")
    yield from _by_handlers(subject)


def _is_bare_exception(subject: Subject, call: Node[ast.Call]) -> bool:
    status = argument(call.syntax, "status_code", 0)
    if status is None or status_of(call.source.node(status)) != _UNAUTHORIZED:
        return False
    if any(keyword.arg is None for keyword in call.syntax.keywords):
        return False
    made = refusal(call, subject.sources)
    if made is None or made.call.syntax is not call.syntax:
        return _is_bare_subclass(subject, call)
    return _lacks_it(made.headers)


def _is_bare_subclass(subject: Subject, call: Node[ast.Call]) -> bool:
    """`super().__init__(401, …)` in a subclass of HTTPException."""
    match call.syntax.func:
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"):
            owner = call.source.class_of(call.syntax)
            if owner is None or not _lacks_it(argument(call.syntax, "headers", 2)):
                return False
            is_ours = any(is_http_exception(call.source.node(base), subject.sources) for base in owner.bases)
            says_it = any(HEADER in text.lower() for text in subject.sources.literals(call.source.node(owner)))
            return is_ours and not says_it
    return False


def _is_bare_response(call: Node[ast.Call]) -> bool:
    """`return JSONResponse(…, 401)`: made and sent, so that nobody can add a header in between."""
    status = argument(call.syntax, "status_code", 1)
    if status is None or status_of(call.source.node(status)) != _UNAUTHORIZED:
        return False
    if _RESPONSE.fullmatch(call.source.name_of(call.syntax.func) or "") is None:
        return False
    if any(keyword.arg is None for keyword in call.syntax.keywords):
        return False
    parent = next(call.source.parents(call.syntax), None)
    is_sent = isinstance(parent, ast.Return) or (isinstance(parent, ast.Call) and parent.func is call.syntax)
    return is_sent and _lacks_it(argument(call.syntax, "headers", 2))


def _lacks_it(headers: ast.expr | None) -> bool:
    """Whether headers are known to be without it."""
    match headers:
        case None | ast.Constant(value=None):
            return True
        case ast.Dict(keys=keys):
            return all(isinstance(key, ast.Constant) and str(key.value).lower() != HEADER for key in keys)
    return False


def _is_elsewhere(subject: Subject, call: Node[ast.Call], given_the_header: set[ast.AST]) -> bool:
    """Whether a call stands in a function that reads cookies or signatures only, serves a WebSocket or reads a file."""
    function = call.source.function_of(call.syntax)
    if function is None:
        return False
    if any("WebSocket" in ast.unparse(p.annotation) for p in parameters(function) if p.annotation is not None):
        return True
    caught = (parent.type for parent in call.source.parents(call.syntax) if isinstance(parent, ast.ExceptHandler))
    if any(kind is not None and "PermissionError" in ast.unparse(kind) for kind in caught):
        return True  # of a file that the server itself may not read
    reads = subject.behaviours.of_definition(call.source.node(function)).reads
    return bool(reads) and "Authorization header" not in reads and function not in given_the_header


def _given_the_header(subject: Subject) -> set[ast.AST]:
    """Dependencies that get what a scheme took from the header."""
    dependencies = {d.call: d for route in subject.routes for d in route.all_dependencies()}
    given = (d.call for d in dependencies.values() if any(takes_header(below.call) for below in d.dependencies))
    return {own.syntax for call in given if (own := subject.own(call)) is not None}


def takes_header(scheme: object) -> bool:
    """Whether it is a security scheme for the Authorization header."""
    return isinstance(scheme, HTTPBase | HTTPBearer | OAuth2 | OpenIdConnect)


def _is_dead(subject: Subject, function: Node[FunctionNode]) -> bool:
    """Whether a function answers nobody: named nowhere else, or a handler of errors that nobody raises."""
    syntax = function.syntax
    handles = [kind for kind, call in _handlers(subject) if _is(subject.own(call), syntax)]
    if handles:
        return all(subject.own(kind) is not None and not _is_raised(subject, kind) for kind in handles)
    if syntax.decorator_list or function.source.top_level.get(syntax.name) is not syntax:
        return False
    for source in subject.sources.own:
        if syntax.name not in source.text:
            continue
        if any(node.id == syntax.name for node in source.all(ast.Name)):
            return False
        if any(node.attr == syntax.name for node in source.all(ast.Attribute)):
            return False
        if any(alias.name == syntax.name for alias in source.all(ast.alias)):
            return False
    return True


def _handlers(subject: Subject) -> list[tuple[type, Callable[..., Any]]]:
    """The handlers of exceptions, with the kind that each is for; those of a status alone are left out."""
    handlers = [(kind, call) for kind, call in subject.exception_handlers if isinstance(kind, type)]
    return sorted(handlers, key=lambda item: str(item[0]))


def _by_handlers(subject: Subject) -> Iterator[BareRefusal]:
    """Exceptions of the app's own with a field that says 401, which a handler of its own sends as the status."""
    seen: set[type] = set()
    for kind, handler in _handlers(subject):
        definition = subject.own(handler)
        if definition is None:
            continue
        sent = set(_sent_statuses(subject, definition))
        for raised in _with_subclasses(kind):
            if raised in seen or not any(getattr(raised, name, None) == _UNAUTHORIZED for name in sent):
                continue
            seen.add(raised)
            own = subject.own(raised)
            if own is not None and _is_raised(subject, raised):
                yield BareRefusal(own.location, None, f"{name_of(handler)} answers {raised.__name__} with")


def _with_subclasses(kind: type) -> Iterator[type]:
    yield kind
    below: list[type] = type.__subclasses__(kind)
    for each in below:
        yield from _with_subclasses(each)


def _sent_statuses(subject: Subject, handler: Node[Any]) -> Iterator[str]:
    """The fields that a handler sends as the status without the header, itself or in the exception that it makes."""
    reached = list(subject.calls.reached(handler))
    made = [
        kind
        for function in reached
        for call in walk(function.syntax)
        if isinstance(call, ast.Call)
        and isinstance((kind := subject.sources.resolve(function.source.node(call.func))).syntax, ast.ClassDef)
    ]
    for code in (*reached, *made):
        for call in walk(code.syntax):
            if isinstance(call, ast.Call) and _lacks_it(argument(call, "headers", 2)):
                match argument(call, "status_code"):
                    case ast.Attribute(attr=name):
                        yield name


def _is_raised(subject: Subject, kind: type) -> bool:
    """Whether the app raises errors of a kind, or of one below; by their names, however they came into a file.

    Not where it was itself refused, by a server that it asked: that is no caller whom it asks to authenticate.
    """
    names = {each.__name__ for each in _with_subclasses(kind)}
    for statement in subject.sources.all(ast.Raise):
        raised = statement.syntax.exc
        named = raised.func if isinstance(raised, ast.Call) else raised
        is_of_kind = getattr(named, "attr", getattr(named, "id", None)) in names
        if is_of_kind and not _is_under_received_status(statement):
            return True
    return False


def _is_under_received_status(statement: Node[ast.Raise]) -> bool:
    """`if answer.status == 401: raise …`, or `except HTTPUnauthorized: raise …`."""
    for parent in statement.source.parents(statement.syntax):
        match parent:
            case ast.If(test=ast.Compare(left=ast.Attribute(attr="status" | "status_code"))):
                return True
            case ast.ExceptHandler(type=ast.expr() as kind) if "Unauthorized" in ast.unparse(kind):
                return True
    return False


def _is(definition: Node[Any] | None, syntax: ast.AST) -> bool:
    return definition is not None and definition.syntax is syntax
