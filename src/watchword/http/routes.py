"""Our endpoints as one router, which costs the host's own routes next to nothing."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope
from typing_extensions import override


class OurRoutes(APIRouter):
    """All endpoints side by side, behind one look at the path.

    A host's routes are usually declared after `install`, so that each request for one of them asks ours first: a route
    at a time, and routers within routers, that took as long as answering a bare endpoint.

    Args:
        path: Where they will be included.
        parts: Routers whose routes these are.
    """

    def __init__(self, path: str, parts: Sequence[APIRouter]) -> None:
        super().__init__()
        self._path = f"{path}/"
        self.routes.extend(route for part in parts for route in part.routes)

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of ours is asked for; most requests are not for us, wherever the app is mounted."""
        if self._path not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)
