"""What scripts of other sites may read (the Fetch standard's CORS): no endpoint that minds a cookie.

Whoever has no token learns nothing here, and browsers send none by themselves: any origin may ask.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

CROSS_ORIGIN: Final = "watchword_cross_origin"
"""The attribute that marks an endpoint; the route adds the headers, to refusals too."""
HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After"}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",  # `*` would not stand for Authorization
    "Access-Control-Max-Age": "600",
}

E = TypeVar("E", bound=Callable[..., Any])


def cross_origin(endpoint: E) -> E:
    """Let scripts of any site read what an endpoint of ours answers: put below the route's line."""
    setattr(endpoint, CROSS_ORIGIN, True)
    return endpoint


def answer_preflights(router: APIRouter, *paths: str) -> None:
    """Answer the question that browsers ask before they send an Authorization header."""
    for path in paths:
        router.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)


async def preflight(request: Request) -> Response:
    """Any site may ask, whatever the request says."""
    del request
    return Response(status_code=204, headers=_PREFLIGHT)
