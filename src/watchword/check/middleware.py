"""Middleware that guards: what it does, and which paths it lets pass."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.middleware import Middleware

from watchword.check.anonymous import passes_middleware
from watchword.check.behaviour import BehaviourReader
from watchword.check.callables import name_of
from watchword.check.routes import called_by
from watchword.check.source import Node, texts_in
from watchword.check.sources import Sources

_PASSING: Final = frozenset({"call_next", "app"})
_CUTTING: Final = frozenset({"strip", "lstrip", "rstrip", "removeprefix", "removesuffix"})
_IS_PATTERN: Final = re.compile(r"[\^$*|\\]")
_NO_LOGIN: Final = re.compile(r"csrf|xsrf|cors|logg|metric|trac(e|ing)|telemetry", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GuardingMiddleware:
    """One that reads a credential and refuses.

    Attributes:
        name: What it is called.
        call: What acts: its class, or the function behind `@app.middleware("http")`.
        exempt: Paths, folders and patterns that it lets pass.
        only: Those that it guards, where it does not guard all.
        by_prefix: Whether it asks how a path begins.
    """

    name: str
    call: Callable[..., Any]
    exempt: frozenset[str]
    only: frozenset[str]
    by_prefix: bool

    @classmethod
    def of(cls, middleware: Middleware, behaviours: BehaviourReader) -> "GuardingMiddleware | None":
        """What a middleware guards; None if it guards nothing."""
        call = called_by(middleware)
        behaviour = behaviours.of(call)
        definition = behaviours.sources.definition(call)
        if definition is None or not (behaviour.reads and behaviour.refuses) or _NO_LOGIN.search(name_of(call)):
            return None
        if passes_middleware(definition, behaviours):
            return None
        options = {name: value for name, value in middleware.kwargs.items() if name != "dispatch"}
        given = strings((middleware.args, options))
        only: set[str] = set()
        exempt = given | (behaviours.sources.literals(definition) - _only_cut_off(definition, behaviours.sources))
        for condition in _conditions(definition, behaviours):
            if condition.says_what_is_guarded:
                only |= condition.texts or given
                exempt -= condition.texts or given
        by_prefix = any(isinstance(n, ast.Attribute) and n.attr == "startswith" for n in ast.walk(definition.syntax))
        return cls(name_of(call), call, frozenset(exempt), frozenset(only), by_prefix)

    def guards(self, path: str) -> bool:
        """Whether it asks for a credential there."""
        if self.only and not any(self._fits(text, path) for text in self.only):
            return False
        return not any(self._fits(text, path) for text in self.exempt)

    def _fits(self, text: str, path: str) -> bool:
        if not text.startswith(("/", "^")):
            return False
        if text == path or (len(text) > 1 and text.endswith("/") and path.startswith(text)):
            return True
        if self.by_prefix and len(text) > 1 and path.startswith(text):
            return True
        try:
            return _IS_PATTERN.search(text) is not None and re.match(text, path) is not None
        except re.error:
            return False


def _only_cut_off(definition: Node[Any], sources: Sources) -> set[str]:
    """Texts that are cut off an address, `url.rstrip("/")`, and compared with none: they let no path pass."""
    cut: set[str] = set()
    compared: set[str] = set()
    for node in ast.walk(definition.syntax):
        called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        if called in _CUTTING:
            cut.update(texts_in(node))
        elif called == "startswith" or isinstance(node, ast.Compare):
            compared |= sources.literals(Node(definition.source, node))
    return cut - compared


@dataclass(frozen=True, slots=True)
class _Condition:
    """An `if` that asks for the path: which texts it compares with, and whether those are what is guarded."""

    texts: frozenset[str]
    says_what_is_guarded: bool


def _conditions(definition: Node[Any], behaviours: BehaviourReader) -> Iterator[_Condition]:
    for node in ast.walk(definition.syntax):
        if not isinstance(node, ast.If):
            continue
        test, is_negated = node.test, False
        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, is_negated = test.operand, not is_negated
        asked = behaviours.sources.resolve(Node(definition.source, test))
        if not _asks(asked, behaviours):
            continue
        literals = behaviours.sources.literals(asked).union(
            *(behaviours.sources.literals(helper) for helper in _helpers(asked, behaviours))
        )
        texts = {text for text in literals if text.startswith(("/", "^"))}
        body = ast.Module(body=node.body, type_ignores=[])
        passes = any(_is_passing(inner) for inner in ast.walk(body))
        does_guard = any(
            behaviours.of_definition(Node(definition.source, statement)).refuses for statement in node.body
        )
        if passes != does_guard:
            yield _Condition(frozenset(texts), does_guard != (_is_negated(asked, behaviours) != is_negated))


def _helpers(asked: Node[Any], behaviours: BehaviourReader) -> list[Node[Any]]:
    """The app's own functions that a condition calls and that ask for the path: `_is_metrics_route(scope)`."""
    return [called for called in behaviours.calls(asked) if _mentions_path(called.syntax)]


def _asks(asked: Node[Any], behaviours: BehaviourReader) -> bool:
    return _mentions_path(asked.syntax) or bool(_helpers(asked, behaviours))


def _mentions_path(test: ast.AST) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "path")
        or (isinstance(node, ast.Name) and re.search(r"(^|_)path$", node.id) is not None)
        or (isinstance(node, ast.Constant) and node.value == "path")
        for node in ast.walk(test)
    )


def _is_negated(asked: Node[Any], behaviours: BehaviourReader) -> bool:
    """Whether what asks for the path is; `scope["type"] != "http" or …` beside it says nothing of it."""
    if isinstance(asked.syntax, ast.BoolOp):
        parts = [asked.source.node(value) for value in asked.syntax.values]
        return any(_is_negated(part, behaviours) for part in parts if _asks(part, behaviours))
    return any(isinstance(node, ast.Not | ast.NotIn | ast.NotEq) for node in ast.walk(asked.syntax))


def _is_passing(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return (isinstance(node.func, ast.Name) and node.func.id in _PASSING) or (
        isinstance(node.func, ast.Attribute) and node.func.attr in _PASSING
    )


def strings(value: object) -> set[str]:
    """All strings in a value, however deep."""
    match value:
        case str():
            return {value}
        case dict():
            return strings(list(value.values()))
        case list() | tuple() | set() | frozenset():
            return {text for item in value for text in strings(item)}
    return set()
