"""The route table: every route as it is answered, with all that stands in front of it."""

from tests.check.conftest import Check
from watchword.check.routes import AppRoute
from watchword.check.rules import RULES
from watchword.check.subject import Subject

IMPORTS = """\
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, Query, Request, Security, WebSocket
from fastapi.security import HTTPBearer, SecurityScopes
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

class First(BaseHTTPMiddleware): ...
class Second(BaseHTTPMiddleware): ...
def one(): ...
def two(one=Depends(one)): ...
def page(request): ...
"""


def subject_of(check_text: Check, text: str) -> Subject:
    return check_text(IMPORTS + text, RULES[0]).subject


def own(subject: Subject) -> dict[str, AppRoute]:
    return {route.name: route for route in subject.routes if not route.is_from_framework}


def calls(route: AppRoute) -> list[str]:
    return [dependency.call.__name__ for dependency in route.all_dependencies()]


def test_routers_in_routers_add_their_prefixes_and_dependencies_from_the_outside_in(check_text: Check) -> None:
    text = """
inner = APIRouter(prefix="/items", dependencies=[Depends(two)])
@inner.get("/{id}")
def item(id: int): ...
outer = APIRouter(prefix="/shop")
outer.include_router(inner, prefix="/v1")
def on_the_app(): ...
def on_inclusion(): ...
app = FastAPI(dependencies=[Depends(on_the_app)])
app.include_router(outer, prefix="/api", dependencies=[Depends(on_inclusion)])
"""
    routes = own(subject_of(check_text, text))
    assert list(routes) == ["GET /api/shop/v1/items/{id}"]
    assert calls(routes["GET /api/shop/v1/items/{id}"]) == ["on_the_app", "on_inclusion", "two", "one"]


def test_a_router_that_is_included_twice_has_two_routes(check_text: Check) -> None:
    text = """
router = APIRouter()
@router.post("/orders")
def orders(): ...
app = FastAPI()
app.include_router(router, prefix="/v1")
app.include_router(router, prefix="/v2", dependencies=[Depends(one)])
"""
    routes = own(subject_of(check_text, text))
    assert {name: calls(route) for name, route in routes.items()} == {"POST /v1/orders": [], "POST /v2/orders": ["one"]}


def test_mounted_apps_keep_their_own_dependencies_and_not_those_of_the_app_around_them(check_text: Check) -> None:
    text = """
inner = FastAPI(dependencies=[Depends(two)])
@inner.get("/orders")
def orders(): ...
app = FastAPI(dependencies=[Depends(one)])
app.mount("/api/", inner)
"""
    subject = subject_of(check_text, text)
    route = own(subject)["GET /api/orders"]
    assert calls(route) == ["two", "one"]
    assert route.mounted_at == "/api"
    assert route.app is not subject.app


def test_middleware_of_apps_mounts_and_routes_is_listed_from_the_outside_in(check_text: Check) -> None:
    text = """
class Third(BaseHTTPMiddleware): ...
inner = FastAPI()
inner.add_middleware(Second)
inner.router.routes.append(Route("/page", page, middleware=[Middleware(Third)]))
app = FastAPI(middleware=[Middleware(First)])
app.router.routes.append(Mount("/in", inner))
app.router.routes.append(Mount("/bare", routes=[Route("/page", page)], middleware=[Middleware(Third)]))
"""
    routes = own(subject_of(check_text, text))
    names = {name: [getattr(m.cls, "__name__", "") for m in route.middleware] for name, route in routes.items()}
    assert names == {"GET /in/page": ["First", "Second", "Third"], "GET /bare/page": ["First", "Third"]}


def test_starlette_routes_classes_with_methods_routers_and_hosts_are_seen(check_text: Check) -> None:
    text = """
class Orders(HTTPEndpoint):
    async def get(self, request): ...
    async def delete(self, request): ...
async def asgi(scope, receive, send): ...
class Asgi:
    async def __call__(self, scope, receive, send): ...
async def socket(websocket): ...
app = Starlette(routes=[
    Route("/page", page, methods=["PUT"]),
    Route("/orders", Orders),
    Route("/asgi", Asgi()),
    WebSocketRoute("/ws", socket),
    Mount("/files", StaticFiles(directory=".")),
    Mount("/r", Router([Route("/page", page)])),
    Host("api.example.com", Router([Route("/hosted", page)])),
])
"""
    names = list(own(subject_of(check_text, text)))
    assert names == [
        "PUT /page",
        "DELETE, GET /orders",
        "* /asgi",
        "WEBSOCKET /ws",
        "GET /r/page",
        "GET /hosted",
    ]


def test_only_methods_that_are_not_safe_change_state(check_text: Check) -> None:
    text = """
app = FastAPI()
@app.get("/a")
@app.api_route("/b", methods=["GET", "POST"])
@app.delete("/c")
@app.websocket("/d")
def handler(): ...
"""
    changing = {name for name, route in own(subject_of(check_text, text)).items() if route.changes_state}
    assert changing == {"GET, POST /b", "DELETE /c"}


def test_what_fastapi_serves_by_itself_is_marked(check_text: Check) -> None:
    subject = subject_of(check_text, "app = FastAPI()\n")
    assert {route.path for route in subject.routes if route.is_from_framework} == {
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
    }


def test_parameters_are_listed_where_they_are_taken(check_text: Check) -> None:
    text = """
class Filter(BaseModel):
    page: int = 1
    by: str = Field("", alias="order-by")
def key(x_api_key: Annotated[str, Header()], session: str = Cookie("", alias="sid")): ...
app = FastAPI()
@app.get("/")
def index(token: str, filter: Annotated[Filter, Query()], key=Depends(key)): ...
"""
    (route,) = own(subject_of(check_text, text)).values()
    assert [(p.kind, p.name, p.alias) for p in route.parameters] == [
        ("query", "token", "token"),
        ("query", "page", "page"),
        ("query", "by", "order-by"),
    ]
    (dependency,) = route.dependencies
    assert [(p.kind, p.name, p.alias) for p in dependency.parameters] == [
        ("header", "x_api_key", "x-api-key"),
        ("cookie", "session", "sid"),
    ]


def test_scopes_are_those_asked_here_and_further_out(check_text: Check) -> None:
    text = """
def user(scopes: SecurityScopes, token=Depends(HTTPBearer())): ...
def active(user=Security(user, scopes=["me"])): ...
app = FastAPI()
@app.get("/")
def index(user=Security(active, scopes=["items"])): ...
"""
    (route,) = own(subject_of(check_text, text)).values()
    outer = route.dependencies[0]
    inner = outer.dependencies[0]
    assert (outer.scopes, outer.own_scopes, outer.sees_scopes) == (frozenset({"items"}), frozenset({"items"}), False)
    assert (inner.scopes, inner.own_scopes, inner.sees_scopes) == (frozenset({"items", "me"}), frozenset({"me"}), True)
