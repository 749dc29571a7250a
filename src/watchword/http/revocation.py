"""`POST /revoke` (RFC 7009) and `POST /introspect` (RFC 7662)."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import InvalidClient, InvalidToken
from watchword.flows.introspect_token import Introspector
from watchword.guard.credentials import bearer_token
from watchword.guard.running import running
from watchword.http.cors import answer_preflights, cross_origin
from watchword.http.device import device_of
from watchword.http.forms import read_client_form, read_form
from watchword.http.responses import NO_STORE, JsonResponse, OAuthErrorAnswer
from watchword.http.route import OAuthRoute
from watchword.http.use_cases import use_cases
from watchword.identity.authenticate_client import ASSERTION_TYPE
from watchword.model import API_KEY_PREFIX

router = APIRouter(route_class=OAuthRoute, tags=["auth"])

_NO: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": OAuthErrorAnswer} for status in (400, 401, 413, 429, 503)
}
# The bodies are parsed by us, so FastAPI has nothing to document them from.
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {
                        "token": {"type": "string", "description": "An access token or a refresh token"},
                        "token_type_hint": {"type": "string", "description": "Not needed, and not believed"},
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
                        "client_assertion": {"type": "string", "format": "password"},
                    },
                }
            }
        },
    }
}


@router.post("/revoke", openapi_extra=_FORM, responses=_NO)
@cross_origin
async def revoke(request: Request) -> Response:
    """End a session by its refresh token, or one access token. A token that is unknown is no error (RFC 7009 §2.2)."""
    use = use_cases(request)
    form = await read_client_form(request)
    device = device_of(request)
    client = await use.authenticate_client(form.client, device)
    await use.revoke_token(client, form.parameters.required("token"), device)
    return Response(headers=NO_STORE)


answer_preflights(router, "/revoke")


@router.post("/introspect", openapi_extra=_FORM, responses=_NO)
async def introspect(request: Request) -> Response:
    """Tell whether a token is good: to the client it belongs to, or to its user by their own access token."""
    asking = await _introspector(request)
    form = await read_form(request)
    answer = await use_cases(request).introspect_token(asking, form.required("token"))
    return JsonResponse(dict(answer), headers=NO_STORE)


async def _introspector(request: Request) -> Introspector:
    """Who asks: RFC 7662 §2.1 wants them authorized, so the first party, which has no secret, is not enough."""
    if request.headers.get("authorization", "").lower().startswith("bearer"):
        token = await bearer_token(request) or ""
        if token.startswith(API_KEY_PREFIX):  # its scopes are all it may do, and none of them is this
            raise InvalidToken("an API key may not introspect")
        principal = (await running(request).verify_credential(token)).principal
        return Introspector(principal.client_id, principal.user_id)
    form = await read_client_form(request)
    client = await use_cases(request).authenticate_client(form.client, device_of(request))
    if client.is_public:
        raise InvalidClient(f"client {client.id} has no secret, so it may not introspect")
    return Introspector(client.id)
