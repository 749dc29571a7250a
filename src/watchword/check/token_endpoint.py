"""What `tokenUrl` names: where it leads to, and the route that answers there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from re import Pattern
from typing import cast
from urllib.parse import urljoin, urlsplit

from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.security import OAuth2
from starlette.routing import compile_path

from watchword.check.routes import AppRoute
from watchword.check.subject import Subject


@dataclass(frozen=True, slots=True)
class TokenUrl:
    """A URL that a security scheme gives.

    Attributes:
        url: As it is written.
        scheme: It.
        used_by: A route that it guards.
        path: Where it leads to, from the root of the outermost app; None where that is another server.
    """

    url: str
    scheme: OAuth2
    used_by: AppRoute
    path: str | None

    @property
    def is_for_passwords(self) -> bool:
        """Whether it is where a name and a password are to be sent (RFC 6749 §4.3), and not a code."""
        flow = cast("OAuth2Model", self.scheme.model).flows.password
        return flow is not None and flow.tokenUrl == self.url


def token_urls(subject: Subject) -> Iterator[TokenUrl]:
    """All of them, each scheme once."""
    seen: set[int] = set()
    for route in subject.routes:
        for dependency in route.all_dependencies():
            scheme = dependency.call
            if isinstance(scheme, OAuth2) and id(scheme) not in seen:
                seen.add(id(scheme))
                for url in _urls(scheme):
                    yield TokenUrl(url, scheme, route, _path(url, route))


def token_routes(subject: Subject) -> Iterator[tuple[TokenUrl, AppRoute]]:
    """The routes with a handler of the app's own that answer there, each once."""
    seen: set[AppRoute] = set()
    for url in token_urls(subject):
        for route in subject.routes:
            if url.path is None or "POST" not in route.methods or not _pattern(route.path).match(url.path):
                continue
            if route not in seen and subject.handler(route) is not None:
                seen.add(route)
                yield url, route
            break


def _urls(scheme: OAuth2) -> Iterator[str]:
    flows = cast("OAuth2Model", scheme.model).flows
    for flow in (flows.password, flows.clientCredentials, flows.authorizationCode):
        if flow is not None:
            yield flow.tokenUrl


def _path(url: str, route: AppRoute) -> str | None:
    """Where Swagger UI sends the form: relative to its own page, `/docs`."""
    if urlsplit(url).netloc:
        return None
    docs = getattr(route.app, "docs_url", None) or "/docs"
    root_path = getattr(route.app, "root_path", "").rstrip("/")
    path = urlsplit(urljoin(f"{root_path}{route.mounted_at}{docs}", url)).path
    return path.removeprefix(root_path) if root_path and path.startswith(f"{root_path}/") else path


@lru_cache(maxsize=1024)
def _pattern(path: str) -> Pattern[str]:
    return compile_path(path)[0]
