"""WW401: a route that changes something, and that nothing guards."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from watchword.check.access import Access
from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.purposes import is_for_guests, is_public_on_purpose, is_webhook, own_routes, resource_of
from watchword.check.routes import ANY_METHOD, SAFE_METHODS, AppRoute
from watchword.check.source import Node
from watchword.check.subject import Subject

_MANY: Final = 3
_UNAUTHORIZED: Final = 401
_ADDRESS: Final = re.compile(r"\.client\b|client_host|remote_addr")
_HANDS_ON: Final = re.compile(r"\w\._?receive\b(?!\()")
_VERIFYING: Final = re.compile(r"signature|verif|hmac|secret|authenticat|headers|construct_event", re.IGNORECASE)
_Place = tuple[Location | None, str]


def check(subject: Subject) -> Iterator[Found]:
    """Each such route; a router that guards nothing at all once, and likewise an app."""
    table = _Table(subject)
    if not table.guarded:
        if table.public and not _a_setting_guards(subject):
            message = f"no guard was found on any route, {_listed(table.public)} among them"
            yield Found(subject.app_location, message, Certainty.POSSIBLE, severity=Severity.NOTE)
        return
    groups: dict[Location | None, list[AppRoute]] = defaultdict(list)
    for route in table.public:
        groups[table.router_of(route)].append(route)
    guarding_routers = {table.router_of(route) for route in table.guarded}
    for router, group in groups.items():
        if router is not None and len(group) >= _MANY and router not in guarding_routers:
            message = f"nothing guards any route of this router, {_listed(group)} among them"
            yield Found(router, message, table.certainty_of(group[0]))
        else:
            handlers = {id(route.endpoint): route for route in reversed(group)}
            yield from (_found(route, table) for route in reversed(handlers.values()))


def _a_setting_guards(subject: Subject) -> bool:
    """Whether a guard is in the source that is off here: `if settings.key: dependencies.append(Depends(check))`."""
    for call in subject.sources.all(ast.Call):
        name = (call.source.name_of(call.syntax.func) or "").rpartition(".")[2]
        if name not in {"Depends", "Security"} or not call.syntax.args:
            continue
        is_below_an_if = any(isinstance(parent, ast.If) for parent in call.source.parents(call.syntax))
        guard = subject.sources.resolve(call.source.node(call.syntax.args[0]))
        if is_below_an_if and subject.behaviours.of_definition(guard).refuses:
            return True
    return False


def _found(route: AppRoute, table: "_Table") -> Found:
    name = f"{', '.join(_changing(route))} {route.path}"
    location = table.subject.location(route)
    guarded = table.guarded_places.get(table.place_of(route))
    if guarded is not None and not (is_webhook(route) or is_for_guests(route)):
        message = f"nothing guards {name}, while {guarded.name} is guarded"
        return Found(location, message, Certainty.LIKELY, name, Severity.ERROR)
    return Found(location, f"nothing guards {name}", table.certainty_of(route), name)


@dataclass(eq=False)
class _Table:
    """The routes of an app's own, and what they have to do with each other."""

    subject: Subject

    @cached_property
    def routes(self) -> list[AppRoute]:
        return own_routes(self.subject)

    @cached_property
    def guarded(self) -> list[AppRoute]:
        return [r for r in self.routes if self.subject.protection(r).access is not Access.PUBLIC]

    @cached_property
    def public(self) -> list[AppRoute]:
        """Those that change state and that nothing guards, though nothing says that they are for everybody."""
        guarded = set(self.guarded)
        return [r for r in self.routes if r.changes_state and r not in guarded and self._is_left_open(r)]

    def _is_left_open(self, route: AppRoute) -> bool:
        behaviour = self.subject.behaviours.of(route.endpoint)
        if behaviour.refuses and (_UNAUTHORIZED in behaviour.statuses or not behaviour.statuses):
            return False  # it asks by itself, in a way that cannot be read
        if any(self._refuses_by_address(dependency.call) for dependency in route.all_dependencies()):
            return False
        handler = self.subject.handler(route)
        if handler is not None and (_only_redirects(handler.syntax) or self._may_ask(route, handler)):
            return False
        return ANY_METHOD not in route.methods and not is_public_on_purpose(route)

    def _may_ask(self, route: AppRoute, handler: Node[Any]) -> bool:
        """Whether it may verify who calls, or hand the request on to an app that does."""
        text = ast.unparse(handler.syntax)
        return _HANDS_ON.search(text) is not None or (is_webhook(route) and _VERIFYING.search(text) is not None)

    def _refuses_by_address(self, call: Callable[..., Any]) -> bool:
        definition = self.subject.own(call)
        asks = definition is not None and _ADDRESS.search(ast.unparse(definition.syntax)) is not None
        return asks and self.subject.behaviours.when_called(call).refuses

    @cached_property
    def guarded_places(self) -> dict[_Place, AppRoute]:
        """A guarded route of each resource of each router."""
        return {self.place_of(route): route for route in reversed(self.guarded)}

    def place_of(self, route: AppRoute) -> _Place:
        """Where siblings are: the same router, and the same resource."""
        return self.router_of(route), resource_of(route)

    @cached_property
    def _routers(self) -> dict[AppRoute, Location | None]:
        return {route: self._router(route) for route in self.routes}

    def router_of(self, route: AppRoute) -> Location | None:
        """Where the router is made that the handler's decorator names; None where there is no such decorator."""
        return self._routers[route]

    def _router(self, route: AppRoute) -> Location | None:
        handler = self.subject.handler(route)
        if handler is None:
            return None
        for decorator in getattr(handler.syntax, "decorator_list", ()):
            if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute):
                made = self.subject.sources.resolve(Node(handler.source, decorator.func.value))
                if isinstance(made.syntax, ast.Call):
                    return made.location
        return None

    @cached_property
    def _is_mostly_guarded(self) -> bool:
        changing = [route for route in self.routes if route.changes_state and not is_public_on_purpose(route)]
        guarded = set(self.guarded)
        return sum(route in guarded for route in changing) * 2 >= len(changing)

    def certainty_of(self, route: AppRoute) -> Certainty:
        """Likely where most of what changes state is guarded; else the app may well be for others behind a door."""
        return Certainty.LIKELY if self._is_mostly_guarded and not is_webhook(route) else Certainty.POSSIBLE


def _only_redirects(handler: ast.AST) -> bool:
    """Whether it sends the caller on, and does nothing before."""
    nodes = list(ast.walk(handler))
    acts = any(isinstance(n, ast.Await) or (isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)) for n in nodes)
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    return (
        not acts
        and bool(returned)
        and all(
            isinstance(value, ast.Call) and ast.unparse(value.func).endswith("RedirectResponse") for value in returned
        )
    )


def _changing(route: AppRoute) -> list[str]:
    return [method for method in route.methods if method not in SAFE_METHODS]


def _listed(routes: list[AppRoute]) -> str:
    names = [f"{method} {route.path}" for route in routes for method in _changing(route)]
    shown = ", ".join(names[:_MANY])
    return shown if len(names) <= _MANY else f"{shown} and {len(names) - _MANY} more"


RULE = Rule(
    id="WW401",
    name="public-state-changing-route",
    severity=Severity.WARNING,
    summary="A route changes state and nothing guards it",
    why=(
        "Whoever finds the address writes, overwrites and deletes. It is the commonest hole in an API, and the "
        "quietest: guards are put on route by route, one is forgotten, and nothing fails."
    ),
    fix="Guard the router and not each route: dependencies=[…] on APIRouter or include_router.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


@app.get("/orders", dependencies=[Depends(bearer)])
def orders(): ...


@app.delete("/orders/{id}")
def delete(id: int): ...
""",
    good="""\
from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
router = APIRouter(prefix="/orders", dependencies=[Depends(HTTPBearer())])


@router.get("")
def orders(): ...


@router.delete("/{id}")
def delete(id: int): ...


app.include_router(router)
""",
    references=("CWE-306", "OWASP API5:2023"),
    check=check,
)
