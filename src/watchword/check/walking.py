"""Walking through functions: many rules go through the same ones, and each is walked through once."""

import ast
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final
from weakref import WeakKeyDictionary

_BELOW: Final[WeakKeyDictionary[ast.AST, list[ast.AST]]] = WeakKeyDictionary()
_BODIES: Final[WeakKeyDictionary[ast.AST, list[ast.AST]]] = WeakKeyDictionary()
_SIGNS: Final = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
"""Of `+`, `and` and of whether a name is read or written there is one object each: a third of all, and nowhere."""


def below(node: ast.AST) -> list[ast.AST]:
    """It and all nodes below it, in the order of `ast.walk` and in half of its time, without signs."""
    found = [node]
    for each in found:  # which grows meanwhile
        for value in vars(each).values():
            if isinstance(value, list):
                found += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _SIGNS):
                found.append(value)
    return found


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The same, found once."""
    known = _BELOW.get(node)
    if known is None:
        _, *known = below(node)
        _BELOW[node] = known  # without the node itself, which could not be forgotten then
    return chain((node,), known)


def body_of(function: Any) -> list[ast.AST]:  # noqa: ANN401 — a function, a lambda or a class
    """All nodes of a body in the order of the text, without those of functions that it defines."""
    found = _BODIES.get(function)
    if found is None:
        body = function.body
        waiting = list(reversed(body)) if isinstance(body, list) else [body]
        found = _BODIES[function] = []
        while waiting:
            syntax = waiting.pop()
            found.append(syntax)
            if not isinstance(syntax, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
                waiting += reversed(list(ast.iter_child_nodes(syntax)))
    return found
