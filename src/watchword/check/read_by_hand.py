"""What a function takes from the body of a request itself, where FastAPI is told of no fields."""

import ast
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.source import Node
from watchword.check.walking import walk

_REQUESTS: Final = frozenset({"request", "req"})


def read_by_hand(function: Node[Any]) -> Iterator[str]:
    """The names under which it reads: `password` of `(await request.json())["password"]`."""
    bodies = {
        target.id
        for node in walk(function.syntax)
        if isinstance(node, ast.Assign) and is_body(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in walk(function.syntax):
        match node:
            case (
                ast.Subscript(value=owner, slice=ast.Constant(value=str(name)))
                | ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant(value=str(name)), *_])
            ) if is_body(owner) or (isinstance(owner, ast.Name) and owner.id in bodies):
                yield name


def is_body(node: ast.expr) -> bool:
    """Whether an expression is all of a body: `await request.json()`."""
    match node:
        case ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="json" | "form"))):
            return name in _REQUESTS
    return False
