"""Answers that an app's code refuses with: `HTTPException`, its status and its text."""

import ast
import re
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from watchword.check.model import Location
from watchword.check.source import Node, argument
from watchword.check.sources import Sources

_HTTP_EXCEPTIONS: Final = frozenset(
    {
        "fastapi.HTTPException",
        "fastapi.exceptions.HTTPException",
        "starlette.exceptions.HTTPException",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """An `HTTPException` that is made.

    Attributes:
        call: Where.
        status: Its status, as far as it can be read.
        detail: Its text, without what is filled in; empty where it has none, None where it cannot be read.
        headers: The expression for its headers.
    """

    call: Node[ast.Call]
    status: int | None
    detail: str | None
    headers: ast.expr | None


def refusal(node: Node[Any], sources: Sources) -> Refusal | None:
    """The `HTTPException` that an expression makes or names; None if it is none."""
    found = sources.resolve(node)
    call = found.syntax
    if not isinstance(call, ast.Call) or not is_http_exception(found.source.node(call.func), sources):
        return None
    if any(isinstance(value, ast.Starred) for value in call.args):
        return None
    status, detail = argument(call, "status_code", 0), argument(call, "detail", 1)
    text = "" if detail is None else _text(found.source.node(detail), sources)
    return Refusal(
        found,
        None if status is None else status_of(found.source.node(status)),
        text,
        argument(call, "headers", 2),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a function ends with where it refuses somebody.

    Attributes:
        location: Where.
        status: The status, where it can be read.
        text: What it says to people; without what is filled in.
    """

    location: Location
    status: int | None
    text: str

    @override
    def __str__(self) -> str:
        status = "" if self.status is None else f"{self.status} "
        return f"{status}{self.text!r}" if self.text else status.strip()

    def differs_from(self, other: "Outcome") -> bool:
        """Whether a caller can tell them apart."""
        return self.text != other.text or (None not in (self.status, other.status) and self.status != other.status)


def outcome(statement: Node[Any], sources: Sources) -> Outcome | None:
    """What a `raise` or `return` of a handler answers; None where it cannot be read."""
    match statement.syntax:
        case ast.Raise(exc=ast.expr() as raised):
            refused = refusal(statement.source.node(raised), sources)
            if refused is None or refused.status is None or refused.detail is None:
                return None
            return Outcome(statement.location, refused.status, refused.detail)
        case ast.Return(value=ast.Call(func=func) as call) if (statement.source.name_of(func) or "").endswith(
            "Response"
        ):
            status = argument(call, "status_code", 1)
            number = None if status is None else status_of(statement.source.node(status))
            texts = _texts(call)
            return Outcome(statement.location, number, texts[-1]) if texts and number is not None else None
        case ast.Return(value=ast.Dict(values=[*values])) if all(isinstance(value, ast.Constant) for value in values):
            texts = [text for value in values for text in _texts(value)]
            return Outcome(statement.location, None, " ".join(texts)) if texts else None
    return None


def _texts(node: ast.AST) -> list[str]:
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def is_http_exception(name: Node[Any], sources: Sources) -> bool:
    """Whether an expression names `HTTPException`."""
    found = sources.resolve(name)
    return (found.source.name_of(found.syntax) or "") in _HTTP_EXCEPTIONS


def _text(node: Node[Any], sources: Sources) -> str | None:
    found = sources.resolve(node)
    if isinstance(found.syntax, ast.JoinedStr):
        return "…".join(_texts(found.syntax))
    value = sources.constant(found)
    if isinstance(value, dict):
        return " ".join(text for text in value.values() if isinstance(text, str))
    return value if isinstance(value, str) else None


def status_of(value: Node[Any]) -> int | None:
    """The status a value stands for: a number, `status.HTTP_401_UNAUTHORIZED`, `HTTPStatus.UNAUTHORIZED`."""
    match value.syntax:
        case ast.Constant(value=int() as number):
            return number
        case ast.Attribute(attr=name) | ast.Name(id=name):
            if (digits := re.search(r"(?:HTTP|WS)_(\d{3,4})_", name)) is not None:
                return int(digits[1])
            return {"UNAUTHORIZED": 401, "FORBIDDEN": 403}.get(name)
    return None
