"""How guards say no (RFC 6750 §3, RFC 9470 §3): as `HTTPException`, which every FastAPI app and sub-app can answer."""

import logging
from typing import Final

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from watchword.errors import (
    InsufficientScope,
    LoginTooOld,
    Refusal,
    SecondFactorNeeded,
    TooManyRequests,
    Unavailable,
)
from watchword.model import ACR_SECOND_FACTOR

_log: Final = logging.getLogger("watchword.guard")


def challenge(**parameters: str) -> str:
    """A `Bearer` challenge. The values are ours: ASCII, without quotes."""
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def no_credential() -> HTTPException:
    """Nothing was presented: a bare challenge, without an error code (RFC 6750 §3.1)."""
    return HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})


def refuse(refusal: Refusal, connection: HTTPConnection, *, scopes: str = "") -> HTTPException:
    """The answer to a refusal; what really happened goes to the log alone.

    Args:
        refusal: Why.
        connection: The request, for the log.
        scopes: What the endpoint needs, for `insufficient_scope`.
    """
    _log.info(
        "refused %s: %s (%s)",
        connection.scope["path"].encode("unicode_escape").decode(),
        refusal.code,
        refusal.detail,
    )
    if isinstance(refusal, Unavailable | TooManyRequests):
        return HTTPException(refusal.status, refusal.text, {"Retry-After": str(refusal.retry_after)})
    parameters = {"error": refusal.code, "error_description": refusal.text}
    if isinstance(refusal, InsufficientScope) and scopes:
        parameters["scope"] = scopes
    if isinstance(refusal, SecondFactorNeeded):
        parameters["acr_values"] = ACR_SECOND_FACTOR
    if isinstance(refusal, LoginTooOld | SecondFactorNeeded) and refusal.max_age:
        parameters["max_age"] = str(refusal.max_age)
    return HTTPException(refusal.status, refusal.text, {"WWW-Authenticate": challenge(**parameters)})
