"""What FastAPI cannot know when a guard is declared: the addresses and scopes of the security scheme."""

from collections.abc import Mapping
from posixpath import dirname, relpath
from typing import Any

from watchword.guard.dependencies import SCHEME_NAME
from watchword.identity.scopes import OPENID_SCOPES


def write_security_scheme(
    document: dict[str, Any], *, token_url: str, authorization_url: str | None, scopes: Mapping[str, str]
) -> None:
    """Write the flows into a document that uses our scheme, in place; do nothing to one that does not.

    Args:
        document: That.
        token_url: Where tokens are.
        authorization_url: Where our pages begin, for the authorization code flow; None where there are none.
        scopes: What the host declares.
    """
    schemes = document.get("components", {}).get("securitySchemes", {})
    if SCHEME_NAME in schemes:
        flows: dict[str, Any] = {"password": {"tokenUrl": token_url, "scopes": dict(scopes)}}
        if authorization_url is not None:
            flows["authorizationCode"] = {
                "authorizationUrl": authorization_url,
                "tokenUrl": token_url,
                "scopes": {**OPENID_SCOPES, **scopes},
            }
        schemes[SCHEME_NAME] = {"type": "oauth2", "flows": flows}


def relative_url(target: str, *, seen_from: str) -> str:
    """A path as a relative reference from a page (RFC 3986 §4.2): from `/x/docs`, `/auth/token` is `../auth/token`."""
    return relpath(target, dirname(seen_from))


def has_absolute_server(document: Mapping[str, Any]) -> bool:
    """Whether the document's first server is a whole address, which relative references are then resolved against."""
    servers = document.get("servers") or [{}]
    return "://" in str(servers[0].get("url", ""))
