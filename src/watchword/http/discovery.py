"""`/.well-known/…`: what programs set themselves up by (OpenID Connect Discovery, RFC 8414, RFC 9728)."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from watchword.http.cors import answer_preflights, cross_origin
from watchword.http.responses import JsonResponse
from watchword.http.route import PublicRoute
from watchword.http.use_cases import use_cases

PREFIX: Final = "/.well-known"
_OPENID: Final = "/openid-configuration"
_HEADERS: Final = {"Cache-Control": "public, max-age=300"}


def well_known_router(*, issuer_path: str, resource_path: str | None, at_root: bool = True) -> APIRouter:
    """The documents, to be included below `/.well-known` of the host.

    Args:
        issuer_path: The issuer's path: RFC 8414 §3.1 wants it behind the well-known part, OpenID Connect before it.
        resource_path: That of the audience (RFC 9728 §3.1); None where the audience is no address.
        at_root: Whether the app answers at its own root; not where it is mounted at the issuer's path.
    """
    router = APIRouter(route_class=PublicRoute, include_in_schema=False)
    paths = [f"/oauth-authorization-server{issuer_path}"]
    if at_root or not issuer_path:
        paths.append(_OPENID)
    for path in paths:
        router.get(path)(authorization_server)
    if resource_path is not None:
        paths.append(f"/oauth-protected-resource{resource_path}")
        router.get(paths[-1])(protected_resource)
    answer_preflights(router, *paths)
    return router


@cross_origin
async def authorization_server(request: Request) -> Response:
    """What this authorization server can do, and where."""
    use = use_cases(request)
    return JsonResponse(use.metadata.authorization_server(use.grants), headers=_HEADERS)


@cross_origin
async def protected_resource(request: Request) -> Response:
    """Whose tokens the app's own endpoints take, and how."""
    return JsonResponse(use_cases(request).metadata.protected_resource(), headers=_HEADERS)
