"""Every route of a host × everybody whom it must refuse: the cases of the host's parametrised test."""

import inspect
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from typing_extensions import override

from watchword.check.access import Access, AccessReader, Protection
from watchword.check.behaviour import BehaviourReader
from watchword.check.callables import module_of, package_of
from watchword.check.filling import filled_path, filled_query
from watchword.check.routes import WEBSOCKET, AppRoute, routes_of
from watchword.check.sources import Sources
from watchword.model import ACR_SECOND_FACTOR
from watchword.testing.clients import StartedApp
from watchword.testing.environment import FIXTURE

MARKER: Final = "public_routes"
_EVERY_AMR: Final = ("pwd", ACR_SECOND_FACTOR)  # so that a guard which asks for two factors asks for the scope too
_CLOSED_FOR_POLICY: Final = 1008


class Caller(StrEnum):
    """Somebody whom a route must refuse."""

    ANONYMOUS = "anonymous"
    WRONG_SCOPE = "wrong scope"
    REVOKED = "revoked"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Case:
    """One route, asked by one of them.

    Attributes:
        route: It.
        method: One of its methods, or `WEBSOCKET`.
        caller: Who asks.
        protection: What guards it.
    """

    route: AppRoute
    method: str
    caller: Caller
    protection: Protection

    @property
    def name(self) -> str:
        """The route, as the marker names it: `POST /orders`."""
        return f"{self.method} {self.route.path}"

    @property
    def id(self) -> str:
        """The same at every run: `POST /orders-anonymous`."""
        return f"{self.name}-{self.caller}"

    def __call__(self, started: StartedApp) -> None:
        """Ask, and fail unless it is refused as it should be."""
        __tracebackhide__ = True
        if self.protection.access is Access.PUBLIC:
            pytest.fail(
                f"{self.name} is public: nothing guards it. If it is meant to be: @pytest.mark.{MARKER}({self.name!r})",
                pytrace=False,
            )
        answer = _ask(self._client(started), self.route, self.method)
        if not self._is_right(answer):
            pytest.fail(f"{self.name} answers {answer} to {_WHO[self.caller]}, not {self._wanted}", pytrace=False)

    @property
    def _wanted(self) -> str:
        if not _is_watchwords(self.protection):
            return "401 or 403"
        return "403 insufficient_scope" if self.caller is Caller.WRONG_SCOPE else "401 with WWW-Authenticate"

    def _is_right(self, answer: "_Answer") -> bool:
        if not _is_watchwords(self.protection):
            return answer.status in {401, 403}
        if self.caller is Caller.WRONG_SCOPE:
            return answer.status == 403 and 'error="insufficient_scope"' in answer.challenge  # noqa: PLR2004 — RFC 6750 §3.1
        return answer.status == 401 and bool(answer.challenge)  # noqa: PLR2004 — RFC 9110 §15.5.2

    def _client(self, started: StartedApp) -> TestClient:
        __tracebackhide__ = True
        match self.caller:
            case Caller.ANONYMOUS:
                return started.anonymous
            case Caller.WRONG_SCOPE:
                return started.as_user(scopes=started.declared_scopes - self.protection.scopes, amr=_EVERY_AMR)
            case Caller.REVOKED:
                client = started.as_user(scopes=self.protection.scopes, amr=_EVERY_AMR)
                started.revoke(client)
            case Caller.DISABLED:
                client = started.as_user(scopes=self.protection.scopes, amr=_EVERY_AMR)
                started.disable(client)
        return client


_WHO: Final = {
    Caller.ANONYMOUS: "a call without a token",
    Caller.WRONG_SCOPE: "a token with every scope but its own",
    Caller.REVOKED: "a token that was revoked",
    Caller.DISABLED: "a user who was disabled",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a route answered.

    Attributes:
        status: Its status; of a WebSocket that was closed, the code.
        challenge: Its `WWW-Authenticate`; of an error, what it is.
    """

    status: int
    challenge: str = ""

    @override
    def __str__(self) -> str:
        return f"{self.status} {self.challenge}".rstrip()


def _ask(client: TestClient, route: AppRoute, method: str) -> _Answer:
    """Send a request without a body: guards answer before FastAPI looks at what is missing."""
    query = filled_query(route)
    url = f"{filled_path(route)}?{query}" if query else filled_path(route)
    try:
        return _answer_to(client, method, url)
    except Exception as error:  # noqa: BLE001 — a handler that was reached may raise anything
        return _Answer(500, f"({type(error).__name__}: {error})")


def _answer_to(client: TestClient, method: str, url: str) -> _Answer:
    if method != WEBSOCKET:
        answer = client.request(method, url, follow_redirects=False)
        return _Answer(answer.status_code, answer.headers.get("WWW-Authenticate", ""))
    try:
        with client.websocket_connect(url):
            return _Answer(101)
    except WebSocketDenialResponse as denied:
        return _Answer(denied.status_code, denied.headers.get("WWW-Authenticate", ""))
    except WebSocketDisconnect as closed:
        return _Answer(403 if closed.code == _CLOSED_FOR_POLICY else closed.code)


def cases(app: FastAPI, public: Collection[str]) -> Iterator[Case]:
    """Those of an app: its own routes but for the public ones, in the order in which the app asks them.

    Raises:
        pytest.UsageError: A route that is listed as public does not exist.
    """
    routes = [route for route in routes_of(app) if not _is_somebody_elses(route)]
    names = {f"{method} {route.path}" for route in routes for method in _methods(route)}
    if unknown := sorted(set(public) - names):
        raise pytest.UsageError(f"{MARKER} names what is no route of the app: {', '.join(unknown)}")
    access = _access_reader(app, routes)
    for route in routes:
        protection = access.of(route)
        for method in _methods(route):
            if f"{method} {route.path}" not in public:
                yield from (Case(route, method, caller, protection) for caller in _callers(protection))


def _callers(protection: Protection) -> Iterator[Caller]:
    """Who has to be refused; a guard that is not Watchword's has no tokens that could be made here."""
    yield Caller.ANONYMOUS
    if _is_watchwords(protection):
        if protection.scopes:
            yield Caller.WRONG_SCOPE
        yield Caller.REVOKED
        yield Caller.DISABLED


def _is_watchwords(protection: Protection) -> bool:
    return any(package_of(guard.call) == "watchword" for guard in protection.guards)


def _is_somebody_elses(route: AppRoute) -> bool:
    """Watchword's own routes, and FastAPI's documents: they are tested where they are made."""
    return route.is_from_framework or package_of(route.endpoint) == "watchword"


def _methods(route: AppRoute) -> tuple[str, ...]:
    return ("GET",) if route.methods == ("*",) else route.methods


def _access_reader(app: FastAPI, routes: list[AppRoute]) -> AccessReader:
    """Reads what stands in front of routes, in the source of the package that the first of them is of."""
    modules = (sys.modules.get(module_of(route.endpoint)) for route in routes)
    module = next((module for module in modules if module is not None), sys.modules[type(app).__module__])
    return AccessReader(BehaviourReader(Sources.of(module)))


def app_of(config: pytest.Config, path: str) -> FastAPI:
    """What the fixture returns for a test file, before any test runs: its function is called.

    Raises:
        pytest.UsageError: It cannot be.
    """
    conftests = [plugin for plugin in config.pluginmanager.get_plugins() if hasattr(plugin, FIXTURE)]
    above = [
        (len(folder), plugin)
        for plugin in conftests
        if (folder := str(getattr(plugin, "__file__", "")).removesuffix("conftest.py")) and path.startswith(folder)
    ]
    if not above:
        raise pytest.UsageError(f"route_case needs a fixture {FIXTURE} in a conftest.py")
    fixture = getattr(max(above, key=lambda found: found[0])[1], FIXTURE)
    function = cast("Callable[[], object]", inspect.unwrap(fixture))
    is_plain = not inspect.signature(function).parameters and not inspect.isgeneratorfunction(function)
    app = function() if is_plain else None
    if not isinstance(app, FastAPI):
        raise pytest.UsageError(
            f"route_case asks for the app before any test runs: let {FIXTURE} take no other fixture, and return the app"
        )
    return app
