"""`/pages/{name}`: the files that pages load. They are addressed by their version, so browsers keep them."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import NotFound
from watchword.http.pages.render import SAFE
from watchword.http.route import PublicRoute
from watchword.http.use_cases import use_cases

router = APIRouter(route_class=PublicRoute)

_YEAR: Final = 31_536_000


@router.get("/pages/{name}", include_in_schema=False)
async def read_asset(request: Request, name: str, v: str = "") -> Response:
    """A style sheet, a script or the logo."""
    asset = use_cases(request).pages.assets.get(name)
    if asset is None:
        raise NotFound("no such file")
    kept = f"public, max-age={_YEAR}, immutable" if v == asset.version else "no-cache"
    # A logo may be SVG: opened by itself, it runs nothing.
    headers = {
        **SAFE,
        "Cache-Control": kept,
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(asset.body, media_type=asset.media_type, headers=headers)
