"""Our endpoints among the host's own: each request finds its own, wherever `install` stands."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Host, Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from tests.conftest import Client, make_app, make_settings
from typing_extensions import override

from watchword import CurrentUser, Watchword


def catch_all(app: FastAPI) -> None:
    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def page(path: str) -> dict[str, str]:
        return {"page": path}


def single_page_app(app: FastAPI) -> None:
    app.mount("/", StaticFiles(directory="docs", check_dir=False))


def overlapping(app: FastAPI) -> None:
    @app.delete("/auth/sessions/{number}")
    async def one(number: str) -> dict[str, str]:
        return {"session": number}


@pytest.mark.parametrize(
    ("declare", "first"),
    [(catch_all, "install"), (catch_all, "host"), (single_page_app, "install"), (single_page_app, "host"),
     (overlapping, "install")],
)  # fmt: skip
def test_a_hosts_greedy_route_leaves_our_endpoints_alone(
    sqlite_url: str, declare: Callable[[FastAPI], None], first: str
) -> None:
    app = FastAPI()
    auth = Watchword(make_settings(sqlite_url))
    for step in (declare, auth.install) if first == "host" else (auth.install, declare):
        step(app)
    with Client(app) as client:
        client.sign_up()
        bearer = client.log_in()
        assert client.get("/auth/me", headers=bearer).json()["email"] == "alice@example.com"
        [session] = client.get("/auth/sessions", headers=bearer).json()["items"]
        assert client.delete(f"/auth/sessions/{session['id']}", headers=bearer).status_code == 204


def test_a_host_route_that_goes_by_more_than_the_path_gets_no_request_for_ours(sqlite_url: str) -> None:
    class ByClient(Route):
        @override
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            return (Match.FULL, {}) if scope["client"][0] == "testclient" else (Match.NONE, {})

    async def theirs(_request: Request) -> Response:
        raise AssertionError("a password came here")

    greedy = Starlette(routes=[Route("/{path:path}", theirs, methods=["GET", "POST"])])
    for route in (Host("testserver", greedy), ByClient("/elsewhere", theirs)):
        app = FastAPI()
        Watchword(make_settings(sqlite_url)).install(app)
        app.router.routes.append(route)
        with Client(app) as client:
            assert client.ask_token("nobody@example.com").status_code == 400


def test_what_a_host_puts_before_all_its_endpoints_is_before_ours_too(sqlite_url: str) -> None:
    def closed() -> None:
        raise HTTPException(418, "closed")

    shut = FastAPI(dependencies=[Depends(closed)])
    Watchword(make_settings(sqlite_url)).install(shut)
    with Client(shut) as client:
        for path in ("/auth/token", "/auth/revoke", "/auth/introspect", "/auth/users"):
            assert client.post(path, data={"grant_type": "password"}).status_code == 418

    inner = FastAPI()
    auth = Watchword(make_settings(sqlite_url))
    auth.install(inner)
    outer = FastAPI()
    outer.include_router(inner.router, dependencies=[Depends(closed)])
    with Client(outer) as client:
        assert client.post("/auth/token", data={"grant_type": "password"}).status_code == 418


def test_a_hosts_route_before_install_may_replace_one_of_ours(sqlite_url: str) -> None:
    app = FastAPI()

    @app.get("/auth/me")
    async def me() -> dict[str, str]:
        return {"mine": "yes"}

    Watchword(make_settings(sqlite_url)).install(app)
    with Client(app) as client:
        assert client.get("/auth/me").json() == {"mine": "yes"}


def test_the_hosts_routes_are_found_behind_and_before_ours_in_routers_and_by_either_slash(sqlite_url: str) -> None:
    app = FastAPI()
    Watchword(make_settings(sqlite_url)).install(app)
    router = APIRouter(prefix="/shop")

    @router.get("/orders")
    async def orders(user: CurrentUser) -> str:
        return user.email

    app.include_router(router)
    with Client(app) as client:
        client.sign_up()
        bearer = client.log_in()
        assert client.get("/shop/orders", headers=bearer).json() == "alice@example.com"
        assert client.get("/shop/orders/", headers=bearer).json() == "alice@example.com"
        assert client.get("/shop/nothing", headers=bearer).status_code == 404


def test_a_start_prepares_none_of_our_endpoints(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[str] = []
    prepare = APIRoute.get_route_handler

    def noted(route: APIRoute) -> Any:
        prepared.append(route.path)
        return prepare(route)

    app = make_app(Watchword(make_settings(sqlite_url)))
    monkeypatch.setattr(APIRoute, "get_route_handler", noted)
    with Client(app) as client:
        assert prepared == []
        client.sign_up()
        assert "/users" in prepared
