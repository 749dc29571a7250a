"""What let a caller in: which guard that is, and whether it may."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args, get_type_hints

from watchword.check.access import Guard
from watchword.check.callables import is_scheme, name_of, unwrapped
from watchword.check.model import Certainty, Location
from watchword.check.probe import GuardedRoute
from watchword.check.routes import Dependency
from watchword.check.subject import Subject

_OPTIONAL: Final = re.compile(r"optional|maybe|or_none|anonymous|guest|if_any|try_", re.IGNORECASE)
_PATH: Final = re.compile(r"\b(url|path)\b")


@dataclass(frozen=True, slots=True)
class LetIn:
    """A guard that let callers in, and where.

    Attributes:
        guard: What people call it.
        location: Where it is, if it is the app's own; else a handler behind it.
        asked: The first route.
        others: How many more there are.
    """

    guard: str
    location: Location
    asked: GuardedRoute
    others: int

    @property
    def route(self) -> str:
        """The routes, as a message names them."""
        more = f" (and {self.others} more)" if self.others else ""
        return f"GET {self.asked.route.path}{more}"


def by_guard(subject: Subject, let_in: Iterable[GuardedRoute]) -> Iterator[LetIn]:
    """One for each guard, for a guard is one cause, whatever it stands in front of."""
    found: dict[int, list[GuardedRoute]] = {}
    causes: dict[int, Dependency] = {}
    for asked in let_in:
        guards = _guards(subject, asked)
        if not guards:
            continue
        cause = _cause(subject, guards[0])
        own = subject.own(cause.call)
        if own is None and subject.handler(asked.route) is None:
            continue  # a library's guard in front of a library's handler
        key = id(own.syntax) if own is not None else id(cause.call)
        causes[key] = cause
        found.setdefault(key, []).append(asked)
    for key, routes in found.items():
        own = subject.own(causes[key].call)
        location = own.location if own is not None else subject.location(routes[0].route)
        yield LetIn(name_of(causes[key].call), location, routes[0], len(routes) - 1)


def _guards(subject: Subject, asked: GuardedRoute) -> list[Dependency]:
    """The guards among what a route depends on. What a middleware lets pass, it may have been told to let pass."""
    calls = {id(guard.call) for guard in subject.protection(asked.route).guards if _is_sure(guard)}
    return [dependency for dependency in asked.route.all_dependencies() if id(dependency.call) in calls]


def _is_sure(guard: Guard) -> bool:
    return guard.certainty is not Certainty.POSSIBLE


def _cause(subject: Subject, guard: Dependency) -> Dependency:
    """What takes the credential in a tree of dependencies: the app's own function next to the scheme."""
    own = [
        dependency
        for dependency in guard.tree()
        if subject.own(dependency.call) is not None
        and (any(is_scheme(d.call) for d in dependency.dependencies) or subject.behaviours.of(dependency.call).reads)
    ]
    return own[-1] if own else guard


def is_on_purpose(subject: Subject, asked: GuardedRoute) -> bool:
    """Whether a guard may be meant to let callers without credentials in: some of them, or on some paths."""
    guards = _guards(subject, asked)
    lenient = (_is_lenient(subject, dependency) for guard in guards for dependency in guard.tree())
    return not guards or any(lenient) or _takes_none(asked)


def _is_lenient(subject: Subject, dependency: Dependency) -> bool:
    call = dependency.call
    if _OPTIONAL.search(name_of(call)) or (is_scheme(call) and getattr(call, "auto_error", True) is False):
        return True
    definition = subject.own(call)
    if definition is None:
        return False
    source = ast.get_source_segment(definition.source.text, definition.syntax) or ""
    return _admits_none(_hints(call).get("return")) or _PATH.search(source) is not None


def _takes_none(asked: GuardedRoute) -> bool:
    """Whether the handler says of something that a dependency gives it that there may be none."""
    hints = _hints(asked.route.endpoint)
    dependencies = getattr(asked.route.dependant, "dependencies", ())
    return any(_admits_none(hints.get(dependency.name)) for dependency in dependencies)


def _hints(call: Callable[..., Any]) -> dict[str, Any]:
    function = unwrapped(call)
    if not inspect.isroutine(function):
        function = getattr(type(function), "__call__", function)  # noqa: B004 — the method, not whether there is one
    try:
        return get_type_hints(function)
    except (NameError, TypeError, AttributeError):  # names that only a type checker imports
        return {}


def _admits_none(hint: object) -> bool:
    return type(None) in get_args(hint)
