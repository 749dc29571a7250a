"""The routes of an app as it answers them: with prefixes, mounts, and every dependency in front of the handler."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import fastapi.routing
from fastapi.routing import APIWebSocketRoute
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute

WEBSOCKET: Final = "WEBSOCKET"
ANY_METHOD: Final = "*"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})
"""Those that change nothing (RFC 9110 §9.2.1)."""
_MOST_LAYERS: Final = 10
_VERBS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something FastAPI takes from the request and passes on.

    Attributes:
        kind: `header`, `cookie` or `query`.
        name: What the function calls it.
        alias: What the caller calls it.
    """

    kind: str
    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something FastAPI calls before the handler.

    Attributes:
        call: It.
        scopes: What `Security(…, scopes=…)` asks of it, here or further out.
        dependencies: What it depends on itself.
        parameters: What it takes from the request by itself.
        own_scopes: What is asked of it here.
        sees_scopes: Whether it takes `SecurityScopes`, and can look at them.
        name: The parameter that gets what it returns; None where nothing does.
    """

    call: Callable[..., Any]
    scopes: frozenset[str]
    dependencies: "tuple[Dependency, ...]"
    parameters: tuple[Parameter, ...] = ()
    own_scopes: frozenset[str] = frozenset()
    sees_scopes: bool = False
    name: str | None = None

    def tree(self) -> "Iterator[Dependency]":
        """It, and everything it depends on."""
        yield self
        for dependency in self.dependencies:
            yield from dependency.tree()


def called_by(middleware: Middleware) -> Callable[..., Any]:
    """What a middleware runs: the function it was given, or the class itself."""
    dispatch: Any = middleware.kwargs.get("dispatch")
    return dispatch or middleware.cls


@dataclass(frozen=True, slots=True, eq=False)
class AppRoute:
    """One route: a path and the methods it answers, or a WebSocket.

    Attributes:
        path: From the root of the outermost app.
        methods: Sorted; `("WEBSOCKET",)` for one of those. HEAD is left out where GET is there.
        endpoint: The handler.
        dependencies: What stands in front of it: its own, its routers' and its app's.
        middleware: What wraps it, from the outside in, its route's and routers' included.
        app: The app it belongs to: the mounted one, if it is mounted.
        mounted_at: Where that app is mounted; empty for the outermost.
        route: FastAPI's, for what is not said here. Its path is without the prefixes of routers around it.
        parameters: What its handler takes from the request by itself.
        dependant: FastAPI's own table of its parameters and dependencies, those of routers around it included; None for
            what Starlette made.
    """

    path: str
    methods: tuple[str, ...]
    endpoint: Callable[..., Any]
    dependencies: tuple[Dependency, ...]
    middleware: tuple[Middleware, ...]
    app: Starlette | None
    mounted_at: str
    route: BaseRoute
    parameters: tuple[Parameter, ...] = ()
    dependant: Any = None

    @property
    def name(self) -> str:
        """As people say it: `GET /orders`."""
        return f"{', '.join(self.methods)} {self.path}"

    def called(self) -> list[Callable[..., Any]]:
        """What FastAPI calls for a request: its handler, and its whole tree of dependencies."""
        return [self.endpoint, *(dependency.call for dependency in self.all_dependencies())]

    def layers(self) -> list[Callable[..., Any]]:
        """What its middleware runs, from the outside in."""
        return [called_by(middleware) for middleware in self.middleware]

    @property
    def is_websocket(self) -> bool:
        """Whether it is a WebSocket."""
        return self.methods == (WEBSOCKET,)

    @property
    def changes_state(self) -> bool:
        """Whether it answers a method that is not safe."""
        return not self.is_websocket and not SAFE_METHODS.issuperset(self.methods)

    @property
    def is_from_framework(self) -> bool:
        """Whether FastAPI made it: the OpenAPI document and its pages."""
        return self.endpoint.__module__.partition(".")[0] in {"fastapi", "starlette"}

    def all_dependencies(self) -> Iterator[Dependency]:
        """All of the tree."""
        for dependency in self.dependencies:
            yield from dependency.tree()


def routes_of(app: Starlette) -> tuple[AppRoute, ...]:
    """All routes of an app and of what is mounted in it, in the order they are asked in."""
    return tuple(_routes(app.routes, app, "", tuple(app.user_middleware)))


def _routes(
    routes: Sequence[BaseRoute], app: Starlette | None, at: str, middleware: tuple[Middleware, ...]
) -> Iterator[AppRoute]:
    for context in _contexts(routes):
        route: BaseRoute = getattr(context, "original_route", context)
        path = at + (getattr(context, "path", None) or "")
        if isinstance(route, Mount | Host):
            own, inner = _wrapped_around(route.app)
            if isinstance(inner, Starlette):
                around = (*middleware, *own, *inner.user_middleware)
                yield from _routes(inner.routes, inner, path.rstrip("/"), around)
            elif isinstance(inner, Router):
                yield from _routes(inner.routes, app, path.rstrip("/"), (*middleware, *own))
        elif isinstance(route, Route | WebSocketRoute):
            dependant = getattr(context, "dependant", None)
            yield AppRoute(
                path,
                _methods(route, context),
                route.endpoint,
                _dependencies(dependant),
                (*middleware, *_wrapped_around(route.app)[0]),
                app,
                at,
                route,
                _parameters(dependant),
                dependant,
            )


def _contexts(routes: Sequence[BaseRoute]) -> Iterator[Any]:
    """Routes with what the routers around them add. Before FastAPI kept routers apart, each route had it already."""
    iterate = getattr(fastapi.routing, "iter_route_contexts", iter)
    return iter(iterate(routes))


def _methods(route: Route | WebSocketRoute, context: Any) -> tuple[str, ...]:  # noqa: ANN401 — FastAPI's context or a route
    if isinstance(route, WebSocketRoute | APIWebSocketRoute):
        return (WEBSOCKET,)
    methods = set(getattr(context, "methods", None) or ())
    if not methods:  # Starlette's classes with a method for each; of an ASGI app nobody knows
        methods = {verb.upper() for verb in _VERBS if hasattr(route.endpoint, verb)} or {ANY_METHOD}
    return tuple(sorted(methods - {"HEAD"} if "GET" in methods else methods))


def _dependencies(dependant: Any) -> tuple[Dependency, ...]:  # noqa: ANN401 — its fields differ between versions
    if dependant is None:
        return ()
    return tuple(
        Dependency(
            inner.call,
            _scopes(inner),
            _dependencies(inner),
            _parameters(inner),
            frozenset(getattr(inner, "own_oauth_scopes", None) or ()),
            getattr(inner, "security_scopes_param_name", None) is not None,
            getattr(inner, "name", None),
        )
        for inner in dependant.dependencies
        if inner.call is not None
    )


def _parameters(dependant: Any) -> tuple[Parameter, ...]:  # noqa: ANN401 — as above
    return tuple(
        Parameter(kind, name, alias)
        for kind in ("header", "cookie", "query")
        for parameter in getattr(dependant, f"{kind}_params", ())
        for name, alias in _names(parameter)
    )


def _names(parameter: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 — FastAPI's
    fields = getattr(getattr(parameter.field_info, "annotation", None), "model_fields", None)
    if fields is None:
        yield parameter.name, parameter.alias
    else:  # `Annotated[Filter, Query()]`: a model whose fields are the parameters
        yield from ((name, field.alias or name) for name, field in fields.items())


def _wrapped_around(app: Any) -> tuple[tuple[Middleware, ...], Any]:  # noqa: ANN401 — any ASGI app
    """The middleware that a route or mount was given, and what it wraps."""
    found: list[Middleware] = []
    while not isinstance(app, Starlette | Router) and hasattr(app, "app") and len(found) < _MOST_LAYERS:
        dispatch = getattr(app, "dispatch_func", None)
        is_own_method = getattr(dispatch, "__self__", None) is app
        options = {} if dispatch is None or is_own_method else {"dispatch": dispatch}
        kind: Any = type(app)
        found.append(Middleware(kind, **options))
        app = app.app
    return tuple(found), app


def _scopes(dependant: Any) -> frozenset[str]:  # noqa: ANN401 — as above
    names = ("own_oauth_scopes", "parent_oauth_scopes", "security_scopes")
    return frozenset(scope for name in names for scope in getattr(dependant, name, None) or ())
