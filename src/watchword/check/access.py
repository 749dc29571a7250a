"""Who may use a route: what guards it, and which scopes it asks for."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from watchword.check.anonymous import hands_on, passes_function, refuses_everybody
from watchword.check.behaviour import Behaviour, BehaviourReader
from watchword.check.callables import held_by, held_by_wrapper, is_scheme, layers_of, module_of, name_of, package_of
from watchword.check.credentials import parameter_place
from watchword.check.middleware import GuardingMiddleware, strings
from watchword.check.model import Certainty
from watchword.check.routes import AppRoute, Dependency, Parameter


class Access(StrEnum):
    """Who may use a route."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    SCOPED = "scoped"


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that keeps callers out.

    Attributes:
        by: What it is, for people: `OAuth2PasswordBearer`, `fastapi-users`, `get_user (Authorization header)`.
        call: It.
        scopes: What it asks for.
        certainty: How sure it is that this keeps anybody out.
    """

    by: str
    call: Callable[..., Any]
    scopes: frozenset[str] = frozenset()
    certainty: Certainty = Certainty.CERTAIN


@dataclass(frozen=True, slots=True)
class Protection:
    """Who may use a route, and why.

    Attributes:
        access: Who.
        scopes: All that its guards ask for; roles that a home-made guard names count.
        guards: What keeps others out, from the outside in.
    """

    access: Access
    scopes: frozenset[str]
    guards: tuple[Guard, ...]


@dataclass(eq=False)
class AccessReader:
    """Tells who may use routes."""

    behaviours: BehaviourReader
    _middleware: dict[int, GuardingMiddleware | None] = field(default_factory=dict, repr=False)

    def of(self, route: AppRoute, *, is_login: bool = False) -> Protection:
        """Who may use a route; of a login, what its handler reads is what people log in with."""
        guards = tuple(self._guards(route, is_login=is_login))
        scopes = frozenset(scope for guard in guards for scope in guard.scopes)
        access = Access.SCOPED if scopes else Access.AUTHENTICATED if guards else Access.PUBLIC
        return Protection(access, scopes, guards)

    def _guards(self, route: AppRoute, *, is_login: bool) -> Iterator[Guard]:
        for middleware in route.middleware:
            guarding = self._guarding(middleware)
            if guarding is not None and guarding.guards(route.path):
                yield Guard(f"middleware {guarding.name}", guarding.call, certainty=Certainty.LIKELY)
        for dependency in route.dependencies:
            yield from self._by_dependency(dependency)
        yield from self._by_route_class(route)
        if not is_login:
            yield from self._by_endpoint(route)

    def _guarding(self, middleware: Middleware) -> GuardingMiddleware | None:
        """One that reads a credential and refuses is taken to guard all that it wraps, what it names aside."""
        key = id(middleware)
        if key not in self._middleware:
            self._middleware[key] = GuardingMiddleware.of(middleware, self.behaviours)
        return self._middleware[key]

    def _by_dependency(self, dependency: Dependency) -> list[Guard]:
        """The outermost of a tree that guards by itself; else what guards below."""
        call = dependency.call
        if (guards := _by_library(dependency)) is not None:
            return guards
        if is_scheme(call):
            return [Guard(name_of(call), call, dependency.scopes)] if self._scheme_refuses(call) else []
        inner = [guard for below in dependency.dependencies for guard in self._by_dependency(below)]
        if _NO_LOGIN.search(name_of(call)):
            return inner
        if (found := self._by_code(dependency, inner)) is not None:
            return [found]
        if inner or self.behaviours.sources.definition(call) is not None:
            return inner
        sounds_like_one = _SOUNDS_LIKE_A_GUARD.search(f"{module_of(call)}.{name_of(call)}")
        by = f"{name_of(call)} of {package_of(call)}"
        return [Guard(by, call, dependency.scopes, Certainty.POSSIBLE)] if sounds_like_one else []

    def _by_code(self, dependency: Dependency, inner: list[Guard]) -> Guard | None:
        """What a dependency's own code makes of it: a guard, or nothing."""
        call, behaviour = dependency.call, self.behaviours.when_called(dependency.call)
        definition, reads = self.behaviours.sources.definition(call), self._reads(dependency)
        schemes = frozenset(below.name for below in dependency.dependencies if below.name and is_scheme(below.call))
        scopes = dependency.scopes.union(_named(held_by(call)), *(guard.scopes for guard in inner))
        guard = Guard(f"{name_of(call)} ({', '.join(sorted(reads))})", call, scopes, _surest(inner))
        if behaviour.refuses and reads:
            is_optional = definition is not None and passes_function(definition, self.behaviours, schemes)
            return guard if inner or not is_optional else None
        if definition is None or inner:
            return None
        if behaviour.refuses:
            is_wall = refuses_everybody(definition)
            return Guard(f"{name_of(call)} (nobody)", call, scopes) if is_wall else None
        is_named_so = _SOUNDS_LIKE_A_GUARD.search(name_of(call)) and not _OPTIONAL.search(name_of(call))
        is_elsewhere = reads and is_named_so and hands_on(definition, self.behaviours, schemes)
        return replace(guard, certainty=Certainty.POSSIBLE) if is_elsewhere else None

    def _reads(self, dependency: Dependency) -> set[str]:
        """Where a tree of dependencies takes credentials from."""
        call = dependency.call
        if is_scheme(call):
            found = {name_of(call)}
        elif package_of(call) in _LIBRARIES:
            found = {_LIBRARIES[package_of(call)][0]} if _SOUNDS_LIKE_A_GUARD.search(name_of(call)) else set()
        else:
            found = set(self.behaviours.when_called(call).reads) | _taken(dependency.parameters)
        return found.union(*(self._reads(inner) for inner in dependency.dependencies))

    def _scheme_refuses(self, scheme: Callable[..., Any]) -> bool:
        """FastAPI's schemes refuse unless told otherwise; somebody's own one if its code does."""
        refuses_by_itself = getattr(scheme, "auto_error", True) is not False
        is_own = "__call__" in vars(type(scheme)) and not type(scheme).__module__.startswith("fastapi.")
        return refuses_by_itself or (is_own and self.behaviours.of(type(scheme)).refuses)

    def _by_route_class(self, route: AppRoute) -> list[Guard]:
        """`APIRouter(route_class=…)` that asks before the handler."""
        kind = type(route.route)
        if kind is APIRoute or not isinstance(route.route, APIRoute):
            return []
        behaviour = self.behaviours.of(kind)
        is_guard = behaviour.reads and behaviour.refuses
        return [Guard(f"route class {kind.__name__}", kind, certainty=Certainty.LIKELY)] if is_guard else []

    def _by_endpoint(self, route: AppRoute) -> list[Guard]:
        """A handler that asks itself, or a decorator that does it for the handler: Starlette's `@requires` is one."""
        behaviour, scopes = Behaviour(), frozenset[str]()
        for layer in layers_of(route.endpoint):
            held = held_by_wrapper(layer)
            if isinstance(required := held.get("scopes_list"), list):
                return [Guard("@requires", route.endpoint, frozenset(required))]
            definition = self.behaviours.sources.written(layer)
            if definition is not None:
                of_layer = self.behaviours.of_definition(definition)
                if of_layer.refuses and passes_function(definition, self.behaviours, is_handler=True):
                    continue
                behaviour |= of_layer
                scopes |= _named(held) if of_layer.refuses else frozenset()
        if not behaviour.refuses:
            return []
        reads = set(behaviour.reads).union(_taken(route.parameters), *map(self._reads, route.dependencies))
        where = ", ".join(sorted(reads))
        return [Guard(f"the handler ({where})", route.endpoint, scopes, Certainty.LIKELY)] if reads else []


def _taken(parameters: tuple[Parameter, ...]) -> set[str]:
    """Where parameters take credentials from; a password is what a login takes."""
    places = (parameter_place(p.kind, (p.name, p.alias)) for p in parameters if not _PASSWORD.search(p.name))
    return {place for place in places if place is not None}


def _watchword(dependency: Dependency) -> list[Guard] | None:
    call = dependency.call
    return [Guard("Watchword", call, dependency.scopes)] if is_scheme(call) else None


def _fastapi_users(dependency: Dependency) -> list[Guard]:
    held = held_by(dependency.call)
    if "superuser" not in held or held.get("optional"):
        return []
    superuser = {"superuser"} if held["superuser"] is True else set()
    return [Guard("fastapi-users", dependency.call, dependency.scopes | superuser)]


def _authx(dependency: Dependency) -> list[Guard]:
    call = dependency.call
    if "required" not in name_of(call) or held_by(call).get("optional"):
        return []
    return [Guard("AuthX", call, dependency.scopes | _named(held_by(call)))]


_LIBRARIES: Final[dict[str, tuple[str, Callable[[Dependency], list[Guard] | None]]]] = {
    "watchword": ("Watchword", _watchword),
    "fastapi_users": ("fastapi-users", _fastapi_users),
    "authx": ("AuthX", _authx),
}
_SOUNDS_LIKE_A_GUARD: Final = re.compile(
    r"auth|current_?user|require|permission|login|jwt|token|api_?key|credential|access|protect|secur", re.IGNORECASE
)
_NAMES_HELD: Final = re.compile(r"role|scope|perm|allow|required|level", re.IGNORECASE)
_NO_LOGIN: Final = re.compile(r"csrf|xsrf", re.IGNORECASE)
_OPTIONAL: Final = re.compile(r"optional|maybe|or_none|anonymous|if_any", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"passw|pwd", re.IGNORECASE)
_LONGEST_NAME: Final = 64


def _by_library(dependency: Dependency) -> list[Guard] | None:
    """The guards of libraries we know; None where a dependency is none of theirs, or a scheme of theirs."""
    package = package_of(dependency.call)
    is_scheme_of_a_library = is_scheme(dependency.call) and package != "watchword"
    return None if package not in _LIBRARIES or is_scheme_of_a_library else _LIBRARIES[package][1](dependency)


def _named(held: dict[str, Any]) -> frozenset[str]:
    """The names that a home-made guard was made with: `require_role("admin")`, `RoleChecker(["admin"])`."""
    wanted = {name: value for name, value in held.items() if _NAMES_HELD.search(name)}
    return frozenset(text for text in strings(wanted) if len(text) < _LONGEST_NAME)


def _surest(guards: list[Guard]) -> Certainty:
    return Certainty.CERTAIN if any(guard.certainty is Certainty.CERTAIN for guard in guards) else Certainty.LIKELY
