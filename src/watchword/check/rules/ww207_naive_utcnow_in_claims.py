"""WW207: `exp`, `iat` and `nbf` from a datetime without a time zone."""

import ast
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from watchword.check.claims import claims_of
from watchword.check.functions import assigned, called, parameters, returned
from watchword.check.jwt_calls import library_of, signings
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import Node, arguments
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_TIMES: Final = ("exp", "iat", "nbf")
_UTC: Final = frozenset({"utcnow", "utcfromtimestamp"})
_DEPTH: Final = 6


class _Naive(StrEnum):
    """What is wrong with a time, in the words of the message."""

    UTC = "is naive: {library} reads it as UTC, and so it is right by accident; Python has deprecated it since 3.12"
    LOCAL = "is local time, and {library} reads it as UTC: it is off by the server's offset from UTC"
    TIMESTAMP = "is naive, and what converts it takes it for local time: it is off by the server's offset from UTC"


def check(subject: Subject) -> Iterator[Found]:
    """Each place that such a time comes from, once, with the claims it goes into."""
    sources = subject.sources
    found: dict[tuple[ast.AST | None, _Naive], tuple[Node[Any], set[str], str]] = {}
    for signing in signings(sources):
        claims = claims_of(signing.call.source.node(signing.payload), sources)
        for name in _TIMES:
            for value in claims.values.get(name, []):
                for place, naive in _naive(value, sources, 0):
                    function = place.source.function_of(place.syntax)
                    library = library_of(signing.call)
                    found.setdefault((function or place.syntax, naive), (place, set(), library))[1].add(name)
    for (_function, naive), (place, names, library) in found.items():
        spelled = ast.unparse(place.syntax.func)
        message = f"{spelled}() in {' and '.join(sorted(names))} {naive.format(library=library)}"
        certainty = Certainty.CERTAIN if naive is _Naive.UTC else Certainty.LIKELY  # a server may run in UTC
        yield Found(place.location, message, certainty)


def _naive(node: Node[Any], sources: Sources, depth: int) -> Iterator[tuple[Node[Any], _Naive]]:
    """The calls whose naive time ends up in an expression, and what becomes of it."""
    if depth > _DEPTH:
        return
    source, syntax = node.source, node.syntax
    match syntax:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            yield from _naive(source.node(left), sources, depth)
            yield from _naive(source.node(right), sources, depth)
        case ast.IfExp(body=left, orelse=right):
            yield from _naive(source.node(left), sources, depth)
            yield from _naive(source.node(right), sources, depth)
        case ast.Name(id=name):
            function = source.function_of(syntax)
            values = [] if function is None else assigned(function, name)
            for value in values:
                if not any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(value)):
                    yield from _naive(source.node(value), sources, depth + 1)
            is_parameter = function is not None and any(p.arg == name for p in parameters(function))
            if not values and not is_parameter and (found := sources.resolve(node)).syntax is not syntax:
                yield from _naive(found, sources, depth + 1)
        case ast.Call():
            yield from _of_call(source.node(syntax), sources, depth)


def _of_call(call: Node[ast.Call], sources: Sources, depth: int) -> Iterator[tuple[Node[Any], _Naive]]:
    source, syntax = call.source, call.syntax
    name = str(source.name_of(syntax.func) or getattr(syntax.func, "attr", ""))
    if (made := _made(name, syntax)) is not None:
        yield call, made
    elif isinstance(syntax.func, ast.Attribute) and syntax.func.attr in {"timestamp", "astimezone", "replace"}:
        for place, naive in _naive(source.node(syntax.func.value), sources, depth):
            if (then := _after(syntax.func.attr, naive, syntax)) is not None:
                yield place, then
    elif isinstance(syntax.func, ast.Attribute) and syntax.func.attr in {"utctimetuple", "timetuple"}:
        yield from _naive(source.node(syntax.func.value), sources, depth)
    elif name in {"int", "round", "float", "str", "calendar.timegm", "math.floor"}:
        for value in syntax.args[:1]:
            yield from _naive(source.node(value), sources, depth)
    elif (function := called(call, sources)) is not None:
        for result in returned(function):
            yield from _naive(result, sources, depth + 1)


def _made(name: str, call: ast.Call) -> _Naive | None:
    """What makes a naive time; `datetime.now()` has a zone where it is passed anything."""
    owner, _, method = name.rpartition(".")
    if not owner.endswith("datetime"):
        return None
    if method in _UTC:
        return _Naive.UTC
    is_naive = (method in {"now", "today"} and not arguments(call)) or (
        method == "fromtimestamp" and len(arguments(call)) == 1
    )
    return _Naive.LOCAL if is_naive else None


def _after(method: str, naive: _Naive, call: ast.Call) -> _Naive | None:
    """What a naive time is after a conversion; None where that makes it right."""
    if method == "replace":
        has_zone = any(keyword.arg == "tzinfo" for keyword in call.keywords)
        return None if has_zone and naive is _Naive.UTC else naive
    return _Naive.TIMESTAMP if naive is _Naive.UTC else None if naive is _Naive.LOCAL else naive


RULE = Rule(
    id="WW207",
    name="naive-utcnow-in-claims",
    severity=Severity.WARNING,
    summary="The times in a token come from a datetime without a time zone",
    why=(
        "The libraries read a naive datetime as UTC. `datetime.now()` is local time: tokens live hours longer "
        "than meant, or are expired when they are made. `datetime.utcnow()` is right by accident, until somebody "
        "calls `.timestamp()` on it."
    ),
    fix="Use an aware time: datetime.now(UTC) + timedelta(minutes=15), or int(time.time()) + 900.",
    bad="""\
import os
from datetime import datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def create_token(user_id: str) -> str:
    claims = {"sub": user_id, "exp": datetime.utcnow() + timedelta(minutes=15)}
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")
""",
    good="""\
import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def create_token(user_id: str) -> str:
    claims = {"sub": user_id, "exp": datetime.now(UTC) + timedelta(minutes=15)}
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")
""",
    references=("RFC 7519 §2", "RFC 7519 §4.1.4"),
    check=check,
)
