"""Our endpoints as one router, which costs the host's own routes next to nothing."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute, iter_route_contexts
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import Scope
from typing_extensions import override

_BY_PATH: Final = frozenset(route.matches for route in (APIRoute, APIWebSocketRoute, Route, WebSocketRoute, Mount))
_PARAMETER: Final = re.compile(r"\{[^}]*\}")
_AN_ID: Final = "00000000-0000-7000-8000-000000000000"


class OurRoutes(APIRouter):
    """All endpoints behind one look at the path, and those of one part behind another.

    Where ours are asked before the host's, a request for one of those must not try each of ours: a route at a time, and
    routers within routers, that took as long as answering a bare endpoint. And FastAPI prepares all routes of a router
    when it is first asked for one: of all of ours that would hold the event loop up for a tenth of a second.

    Args:
        path: Where they will be included.
        parts: Routers whose routes these are; the first has those that are asked most.
    """

    def __init__(self, path: str, parts: Sequence[APIRouter]) -> None:
        super().__init__()
        self._at = path
        self._path = f"{path}/"
        self._parts = parts
        self._included: BaseRoute | None = None
        most_asked, *others = parts
        self.routes.extend(most_asked.routes)  # a part of their own to look into would be a tenth of what a token takes
        for part in others:
            self.include_router(_Part(path, part))
        self._answered = {
            (request["method"], request["path"]) for request in self._requests() if _AN_ID not in request["path"]
        }

    def join(self, app: FastAPI) -> None:
        """Become routes of an app, in front of a catch-all such as a single-page app at "/"."""
        token_endpoint = next(self._requests())
        is_shadowed = _any_answers(app.router.routes, token_endpoint)
        app.include_router(self, prefix=self._at)
        self._included = app.router.routes[-1]
        if is_shadowed:
            app.router.routes.insert(0, app.router.routes.pop())

    def stand_behind(self, app: FastAPI) -> None:
        """Go behind the host's routes, which are usually declared after `install`: requests for them never ask ours.

        Not where one of them would, or might, answer for one of ours.
        """
        assert self._included is not None
        routes = app.router.routes
        place = routes.index(self._included)
        # Not others of ours, below paths of their own: to look into them would have FastAPI prepare them all.
        behind = [route for route in routes[place + 1 :] if not _is_ours(route)]
        if _go_by_path(behind) and not any(_any_answers(behind, request) for request in self._requests()):
            routes.append(routes.pop(place))

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of ours is asked for; most requests are not for us, wherever the app is mounted."""
        if self._path not in scope["path"]:
            return Match.NONE, {}
        # FastAPI looks for the route once more when it handles the request: here it is enough that there is one.
        if (scope.get("method"), _path(scope)) in self._answered:
            return Match.FULL, {}
        return super().matches(scope)

    @override
    def _get_routes_version(self, seen: set[int] | None = None) -> int:
        """One for ever: FastAPI would walk through all routers below at each request to see whether one has changed."""
        return 0

    def _requests(self) -> Iterator[Scope]:
        """A request for each of our routes; the first is for the token endpoint."""
        for part in self._parts:
            for route in part.routes:
                assert isinstance(route, APIRoute)
                path = self._at + _PARAMETER.sub(_AN_ID, route.path)
                for method in sorted(route.methods or ()):
                    yield {"type": "http", "method": method, "path": path, "headers": []}


class _Part(APIRouter):
    """The endpoints of one noun, prepared when one of them is first asked for."""

    def __init__(self, path: str, part: APIRouter) -> None:
        super().__init__()
        self.routes.extend(part.routes)
        self._at = path
        self._patterns = [route.path_regex for route in part.routes if isinstance(route, APIRoute)]

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of this part has the path; which one, and by which method, FastAPI finds out."""
        path = _path(scope).removeprefix(self._at)
        if any(pattern.match(path) for pattern in self._patterns):
            return super().matches(scope)
        return Match.NONE, {}


def _path(scope: Scope) -> str:
    """The path below where the app is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _is_ours(route: BaseRoute) -> bool:
    return isinstance(getattr(route, "original_router", None), OurRoutes)  # FastAPI's class for it is private


def _go_by_path(routes: Sequence[BaseRoute]) -> bool:
    """Whether path and method alone decide about routes: a `Host` looks at a header, others at who knows what."""
    return all(type(context.original_route).matches in _BY_PATH for context in iter_route_contexts(routes))


def _any_answers(routes: Sequence[BaseRoute], request: Scope) -> bool:
    return any(route.matches(dict(request))[0] is not Match.NONE for route in routes)
