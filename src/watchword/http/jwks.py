"""`GET /jwks`: the public keys (RFC 7517 §5)."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.http.cors import answer_preflights, cross_origin
from watchword.http.responses import JsonResponse
from watchword.http.route import PublicRoute
from watchword.http.use_cases import use_cases
from watchword.identity.keyring import JWKS_MAX_AGE

_HEADERS: Final = {"Cache-Control": f"public, max-age={int(JWKS_MAX_AGE.total_seconds())}"}

router = APIRouter(route_class=PublicRoute, tags=["auth"])


@router.get("/jwks")
@cross_origin
async def jwks(request: Request) -> Response:
    """The keys that tokens are verified with."""
    return JsonResponse(
        use_cases(request).keyring.keys.jwks(),
        headers=_HEADERS,
        media_type="application/jwk-set+json",
    )


answer_preflights(router, "/jwks")
