"""`POST /token` (RFC 6749 §3.2)."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import UnsupportedGrantType
from watchword.http import responses
from watchword.http.forms import read_token_form
from watchword.http.responses import OAuthErrorAnswer, TokenAnswer
from watchword.http.route import OAuthRoute
from watchword.http.use_cases import use_cases

router = APIRouter(route_class=OAuthRoute, tags=["auth"])

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
                        "grant_type": {"type": "string", "enum": ["password"]},
                        "username": {"type": "string", "description": "The user's email"},
                        "password": {"type": "string", "format": "password"},
                        "scope": {
                            "type": "string",
                            "description": "Scopes, separated by spaces; all allowed ones if omitted",
                        },
                        "client_id": {"type": "string"},
                        "client_secret": {"type": "string", "format": "password"},
                    },
                }
            }
        },
    }
}


@router.post(
    "/token",
    response_model=TokenAnswer,
    openapi_extra=_FORM,
    responses={status: {"model": OAuthErrorAnswer} for status in (400, 401, 413, 503)},
)
async def token(request: Request) -> Response:
    """Trade a grant for tokens."""
    use = use_cases(request)
    form = await read_token_form(request)
    client = await use.authenticate_client(form.client)
    grant = use.grants.get(form.grant_type)
    if grant is None:
        raise UnsupportedGrantType("no such grant type")
    issued = await grant(client, form.parameters)
    return responses.tokens(issued)
