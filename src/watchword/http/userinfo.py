"""`/userinfo`: what a client may know of its user (OpenID Connect Core §5.3)."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.guard.dependencies import WhoMayBeKnown
from watchword.http.cors import answer_preflights, cross_origin
from watchword.http.responses import JsonResponse
from watchword.http.route import JsonRoute
from watchword.identity.user_claims import user_claims

router = APIRouter(route_class=JsonRoute, tags=["auth"])

_CLAIMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["sub"],
                    "properties": {"sub": {"type": "string"}, "email": {"type": "string"}},
                    "additionalProperties": True,
                }
            }
        }
    }
}


@router.get("/userinfo", responses=_CLAIMS)
@router.post("/userinfo", responses=_CLAIMS)
@cross_origin
async def userinfo(_request: Request, caller: WhoMayBeKnown) -> Response:
    """Tell who the user of an access token with the scope `openid` is, and what its other scopes allow to know."""
    assert caller.account is not None, "no client has this scope for itself"
    claims = user_claims(caller.account, caller.principal.scopes)
    return JsonResponse({**claims, "sub": caller.principal.subject})


answer_preflights(router, "/userinfo")
