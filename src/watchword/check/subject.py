"""What rules look at: an app's routes, who may use them, and the source behind it."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from fastapi.security import OAuth2PasswordRequestForm
from starlette.applications import Starlette

from watchword.check.access import AccessReader, Protection
from watchword.check.behaviour import BehaviourReader
from watchword.check.call_graph import CallGraph
from watchword.check.fields import annotation_of, fields_of
from watchword.check.load import Target
from watchword.check.model import Location
from watchword.check.password_calls import PasswordCalls
from watchword.check.read_by_hand import read_by_hand
from watchword.check.routes import AppRoute, Dependency, routes_of
from watchword.check.source import FunctionNode, Node, Source
from watchword.check.sources import Sources

if TYPE_CHECKING:
    from watchword.check.baseline import Baseline
    from watchword.check.probe import Probed

_LOGIN: Final = re.compile(r"log_?in|sign_?in|token|authenticate|/auth$|/session", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"pass(word|wd|code)?|pwd", re.IGNORECASE)
_OTHER_PASSWORDS: Final = re.compile(
    r"register|sign_?up|reset|change|forgot|update|create(?!_?(?:access_?)?(?:token|session))|invite|setup|import",
    re.IGNORECASE,
)


@dataclass(eq=False)
class Subject:
    """One app.

    Attributes:
        target: It, and how it was named.
        routes: All of its routes, those of mounted apps too.
        sources: Its own files.
        behaviours: What its functions do with credentials.
        baseline: Who might use which route when somebody last looked; None if nobody kept that.
        probed: What it answered when it was asked; None if it was not.
    """

    target: Target
    routes: tuple[AppRoute, ...]
    sources: Sources
    behaviours: BehaviourReader
    baseline: "Baseline | None" = None
    probed: "Probed | None" = None
    _access: AccessReader = field(init=False, repr=False)
    _protections: dict[int, Protection] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._access = AccessReader(self.behaviours)

    @classmethod
    def of(cls, target: Target) -> "Subject":
        """Look at an app; nothing of it is called."""
        sources = Sources.of(target.module)
        return cls(target, routes_of(target.app), sources, BehaviourReader(sources))

    @property
    def app(self) -> Starlette:
        """The outermost app."""
        return self.target.app

    @cached_property
    def apps(self) -> tuple[Starlette, ...]:
        """The app, and those that it mounts."""
        apps = dict.fromkeys([self.app, *(route.app for route in self.routes)])
        return tuple(app for app in apps if app is not None)

    @cached_property
    def exception_handlers(self) -> tuple[tuple[int | type, Callable[..., Any]], ...]:
        """What their exception handlers are for, and those."""
        return tuple(item for app in self.apps for item in app.exception_handlers.items())

    def protection(self, route: AppRoute) -> Protection:
        """Who may use a route, and why."""
        known = self._protections.get(id(route))
        if known is None:
            known = self._protections[id(route)] = self._access.of(route, is_login=route in self.login_routes)
        return known

    def handler(self, route: AppRoute) -> Node[Any] | None:
        """The source of a route's handler, where it is the app's own."""
        return self.own(route.endpoint)

    def own(self, call: Callable[..., Any]) -> Node[Any] | None:
        """The source of a function or class, where it is the app's own; libraries' code is theirs to mend."""
        definition = self.sources.definition(call)
        return definition if definition is not None and self.sources.is_own(definition.source) else None

    def location(self, route: AppRoute) -> Location:
        """Where to look for a route: its handler, or the app where that is somebody else's."""
        handler = self.handler(route)
        return self.app_location if handler is None else handler.location

    @cached_property
    def app_location(self) -> Location:
        """Where the app is made."""
        main = self._main
        if main is None:
            return Location(self.sources.root)
        made = [
            c for c in main.all(ast.Call) if (main.name_of(c.func) or "").rpartition(".")[2] in {"FastAPI", "Starlette"}
        ]
        if made:
            return main.location(made[0])
        for node in self.sources.calls("fastapi.FastAPI", "fastapi.applications.FastAPI"):
            return node.location
        return Location(main.path)

    @property
    def _main(self) -> Source | None:
        name = self.target.module.__name__
        return next((source for source in self.sources.own if source.module == name), None)

    @cached_property
    def calls(self) -> CallGraph:
        """Which of the app's own functions call which."""
        return CallGraph(self.sources)

    @cached_property
    def password_calls(self) -> PasswordCalls:
        """Which of them hash passwords."""
        return PasswordCalls(self.calls)

    def functions(self, route: AppRoute) -> tuple[Node[FunctionNode], ...]:
        """The app's own functions that may run for a request: the handler's, its dependencies', and what they call."""
        own = (self.own(call) for call in route.called())
        return tuple(self.calls.reached(*(definition for definition in own if definition is not None)))

    @cached_property
    def login_routes(self) -> tuple[AppRoute, ...]:
        """Routes that trade a password for a token or a session: the token endpoint, whatever it is called."""
        return tuple(route for route in self.routes if self._is_login(route))

    def _is_login(self, route: AppRoute) -> bool:
        if "POST" not in route.methods:
            return False
        if any(_is_password_form(dependency) for dependency in route.all_dependencies()):
            return True
        name = f"{route.path} {getattr(route.endpoint, '__name__', '')}"
        if not _LOGIN.search(name) or _OTHER_PASSWORDS.search(name):
            return False
        return any(_PASSWORD.fullmatch(field) for field in (*body_fields(route), *self._read_by_hand(route)))

    def _read_by_hand(self, route: AppRoute) -> Iterator[str]:
        for call in route.called():
            if (definition := self.own(call)) is not None:
                yield from read_by_hand(definition)


def _is_password_form(dependency: Dependency) -> bool:
    call = dependency.call
    return isinstance(call, type) and issubclass(call, OAuth2PasswordRequestForm)


def body_fields(route: AppRoute) -> Iterator[str]:
    """The names of what a route reads from its body: of form fields, and of the fields of a JSON body's model."""
    for parameter in body_parameters(route):
        yield parameter.name
        yield from fields_of(annotation_of(parameter))


def body_parameters(route: AppRoute) -> Iterator[Any]:
    """What a route and its dependencies read from its body, as FastAPI describes it."""
    waiting = [getattr(route.route, "dependant", None)]
    while waiting:
        dependant = waiting.pop()
        if dependant is not None:
            yield from dependant.body_params
            waiting.extend(dependant.dependencies)
