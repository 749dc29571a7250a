"""`POST /token` (RFC 6749 §3.2), and `POST /refresh`, the same for an app's own front end."""

from typing import Any, Final

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import UnsupportedGrantType
from watchword.grants import GRANTS, Parameters, password, refresh_token
from watchword.http import responses
from watchword.http.bodies import JsonRequest
from watchword.http.cors import answer_preflights, cross_origin
from watchword.http.device import device_of
from watchword.http.forms import read_token_form
from watchword.http.responses import ErrorAnswer, OAuthErrorAnswer, PendingAnswer, TokenAnswer
from watchword.http.route import JsonRoute, OAuthRoute
from watchword.http.use_cases import use_cases
from watchword.identity.authenticate_client import ASSERTION_TYPE, ClientCredentials
from watchword.model import Limit

router = APIRouter(route_class=OAuthRoute, tags=["auth"])
refresh_router = APIRouter(route_class=JsonRoute, tags=["auth"])

# What a back end does for itself, or for all its users, proves more than an address does.
_LIMITED: Final = {password.NAME: Limit.LOGINS, refresh_token.NAME: Limit.REFRESHES}
# The body is parsed by us, so FastAPI has nothing to document it from.
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": list(GRANTS)},
                        "username": {"type": "string", "description": "The user's email"},
                        "password": {"type": "string", "format": "password"},
                        "otp": {"type": "string", "description": "A code of the user's second factor, if at hand"},
                        "refresh_token": {"type": "string"},
                        "code": {"type": "string", "description": "An authorization code"},
                        "redirect_uri": {"type": "string", "description": "Where the code was sent"},
                        "code_verifier": {"type": "string", "description": "What code_challenge was made of"},
                        "resource": {"type": "string", "description": "What the code is for, if that was said"},
                        "scope": {
                            "type": "string",
                            "description": "Scopes, separated by spaces; all allowed ones if omitted",
                        },
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


@router.post(
    "/token",
    response_model=TokenAnswer | PendingAnswer,
    openapi_extra=_FORM,
    responses={status: {"model": OAuthErrorAnswer} for status in (400, 401, 413, 429, 503)},
)
@cross_origin
async def token(request: Request) -> Response:
    """Trade a grant for tokens."""
    use = use_cases(request)
    form = await read_token_form(request)
    device = device_of(request)
    client = await use.authenticate_client(form.client, device)
    grant = use.grants.get(form.grant_type)
    if grant is None:
        raise UnsupportedGrantType("no such grant type")
    if (limit := _LIMITED.get(form.grant_type)) is not None:
        await use.limits.hit(limit, form.grant_type, device)
    issued = await grant(client, form.parameters, device)
    return responses.tokens(issued)


answer_preflights(router, "/token")


class RefreshBody(JsonRequest):
    """The refresh token of the last answer."""

    refresh_token: str = Field(json_schema_extra={"format": "password"})


@refresh_router.post(
    "/refresh",
    response_model=TokenAnswer,
    responses={status: {"model": ErrorAnswer} for status in (400, 422, 429, 503)},
)
async def refresh(request: Request, body: RefreshBody) -> Response:
    """Trade a refresh token of the app's own login for new tokens: the refresh token grant in JSON."""
    use = use_cases(request)
    device = device_of(request)
    await use.limits.hit(Limit.REFRESHES, refresh_token.NAME, device)
    first_party = await use.authenticate_client(ClientCredentials())
    parameters = Parameters({"refresh_token": body.refresh_token})
    issued = await use.grants[refresh_token.NAME](first_party, parameters, device)
    return responses.tokens(issued)
