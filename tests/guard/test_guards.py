"""Guards, as hosts use them: on HTTP and WebSocket routes, routers and sub-apps; and what they say if they cannot."""

import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security, WebSocket
from starlette.testclient import TestClient, WebSocketDenialResponse
from tests.attacks.forge import Forge
from tests.conftest import SCOPES, Client, make_app
from tests.partners import partner_login

from watchword import (
    CurrentPrincipal,
    CurrentUser,
    NotRunning,
    Principal,
    User,
    Watchword,
    current_principal,
    current_user,
    requires,
    requires_recent_login,
)


def app_with_everything(auth: Watchword[Any]) -> FastAPI:
    app = make_app(auth)
    router = APIRouter(prefix="/shop", dependencies=[requires("orders:read")])

    @router.get("/orders")
    async def read_orders(user: CurrentUser) -> str:
        return user.email

    @router.post("/orders", dependencies=[requires("orders:write")])
    async def write_orders() -> str:
        return "written"

    @router.get("/both")
    async def both(user: Annotated[User, Security(current_user, scopes=["orders:write"])]) -> str:
        return user.email

    async def through(principal: Annotated[Principal, Depends(current_principal)]) -> Principal:
        return principal

    @app.get("/twice")
    async def twice(
        user: CurrentUser, principal: CurrentPrincipal, nested: Annotated[Principal, Depends(through)]
    ) -> bool:
        return nested == principal and user.id == principal.user_id

    @app.get("/fresh", dependencies=[requires_recent_login(minutes=5)])
    async def fresh() -> str:
        return "fresh"

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.email)
        await websocket.close()

    @app.websocket("/orders-socket")
    async def orders_socket(
        websocket: WebSocket, user: Annotated[User, Security(current_user, scopes=["orders:read"])]
    ) -> None:
        await websocket.accept()
        await websocket.send_text(user.email)
        await websocket.close()

    sub_app = FastAPI()

    @sub_app.get("/mine")
    async def mine(user: CurrentUser) -> str:
        return user.email

    app.include_router(router)
    app.mount("/sub", sub_app)
    return app


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(app_with_everything(auth)) as client:
        client.sign_up()
        yield client


def test_scopes_of_router_and_route_add_up(client: Client) -> None:
    reading, writing = client.log_in(scope="orders:read"), client.log_in(scope="orders:write")
    both = client.log_in()
    assert client.get("/shop/orders", headers=reading).status_code == 200
    assert client.get("/shop/orders", headers=writing).status_code == 403
    for headers, status in ((reading, 403), (writing, 403), (both, 200)):
        assert client.post("/shop/orders", headers=headers).status_code == status
        assert client.get("/shop/both", headers=headers).status_code == status
    challenge = client.get("/shop/both", headers=reading).headers["www-authenticate"]
    assert 'scope="orders:write"' in challenge or 'scope="orders:read orders:write"' in challenge


def test_every_user_is_told_from_the_others(client: Client) -> None:
    client.sign_up("bob@example.com")
    bob, alice = client.log_in("bob@example.com"), client.log_in()
    assert client.get("/mine", headers=bob).json() == {"email": "bob@example.com"}
    assert client.get("/mine", headers=alice).json() == {"email": "alice@example.com"}
    assert client.get("/twice", headers=alice).json() is True


def test_a_disabled_user_is_out_at_once_and_stays_out_with_the_old_token(client: Client, auth: Watchword[Any]) -> None:
    headers = client.log_in()
    assert client.portal is not None

    async def switch(*, active: bool) -> None:
        user = await auth.users.find("alice@example.com")
        assert user is not None
        await (auth.users.enable(user.id) if active else auth.users.disable(user.id))

    client.portal.call(lambda: switch(active=False))
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.ask_token().json()["error"] == "invalid_grant"
    client.portal.call(lambda: switch(active=True))
    assert client.get("/mine", headers=headers).status_code == 401
    assert client.get("/mine", headers=client.log_in()).status_code == 200


def test_a_mounted_sub_app_is_guarded_like_its_parent(client: Client) -> None:
    assert client.get("/sub/mine").status_code == 401
    assert client.get("/sub/mine").headers["www-authenticate"] == "Bearer"
    assert client.get("/sub/mine", headers=client.log_in()).json() == "alice@example.com"


def test_a_user_of_a_third_party_client_gets_in_only_where_a_scope_is_named(
    client: Client, auth: Watchword[Any]
) -> None:
    async def log_in() -> str:
        return (await partner_login(auth, scopes=frozenset({"orders:read"}))).access_token

    assert client.portal is not None
    headers = {"Authorization": f"Bearer {client.portal.call(log_in)}"}
    for path, status in (("/mine", 403), ("/auth/me", 403), ("/shop/orders", 403), ("/who", 200), ("/orders", 200)):
        assert client.get(path, headers=headers).status_code == status, path


def test_an_old_login_is_asked_to_log_in_again(client: Client, auth: Watchword[Any]) -> None:
    old = Forge(auth, client.ask_token().json()["access_token"]).token(claims={"auth_time": int(time.time()) - 301})
    headers = {"Authorization": f"Bearer {old}"}
    for answer in (client.get("/fresh", headers=headers), client.delete("/auth/me", headers=headers)):
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="300"' in challenge
    assert client.get("/mine", headers=headers).status_code == 200
    assert client.get("/fresh", headers=client.log_in()).status_code == 200
    assert client.delete("/auth/me", headers=client.log_in()).status_code == 204


def test_a_websocket_opens_with_a_token_in_the_header(client: Client) -> None:
    with client.websocket_connect("/socket", headers=client.log_in()) as socket:
        assert socket.accepted_subprotocol is None
        assert socket.receive_text() == "alice@example.com"


def test_a_browser_sends_its_token_as_a_subprotocol_and_gets_the_word_back(client: Client) -> None:
    token = client.log_in()["Authorization"].removeprefix("Bearer ")
    with client.websocket_connect("/orders-socket", subprotocols=["bearer", token]) as socket:
        assert str(socket.accepted_subprotocol) == "bearer"
        assert socket.receive_text() == "alice@example.com"


@pytest.mark.parametrize(
    ("subprotocols", "status"),
    [([], 401), (["bearer"], 401), (["bearer", "no-token"], 401), (["bearer", "a", "b"], 401), (["chat", "x"], 401)],
)
def test_a_socket_without_a_good_token_is_never_accepted(client: Client, subprotocols: list[str], status: int) -> None:
    with pytest.raises(WebSocketDenialResponse) as denied:
        client.websocket_connect("/socket", subprotocols=subprotocols).__enter__()
    assert denied.value.status_code == status
    assert denied.value.headers["www-authenticate"].startswith("Bearer")


def test_a_socket_without_the_scope_is_never_accepted(client: Client) -> None:
    with pytest.raises(WebSocketDenialResponse) as denied:
        client.websocket_connect("/orders-socket", headers=client.log_in(scope="orders:write")).__enter__()
    assert denied.value.status_code == 403


def test_a_guard_without_watchword_says_what_is_missing() -> None:
    app = FastAPI()

    @app.get("/mine")
    async def mine(user: CurrentUser) -> str:
        return user.email

    with TestClient(app) as client, pytest.raises(NotRunning, match=r"it was not installed.*with TestClient"):
        client.get("/mine", headers={"Authorization": "Bearer x"})


def test_a_guard_whose_lifespan_did_not_run_says_so(auth: Watchword[Any]) -> None:
    client = TestClient(make_app(auth))
    with pytest.raises(NotRunning, match="lifespan did not run"):
        client.get("/mine", headers={"Authorization": "Bearer x"})
    with pytest.raises(NotRunning, match="lifespan did not run"):
        client.post("/auth/token", data={})
    with pytest.raises(NotRunning, match="has not started"):
        auth.users  # noqa: B018 — the access is what is tested


def test_install_comes_once_and_before_the_start(auth: Watchword[Any]) -> None:
    app = make_app(auth)
    with pytest.raises(RuntimeError, match="install"):
        auth.install(FastAPI())
    with TestClient(app), pytest.raises(RuntimeError, match="install"):
        auth.install(app)
    with TestClient(app) as again:  # an app can be started again
        assert again.get("/public").status_code == 200


def test_the_hosts_own_lifespan_runs_inside_ours(auth: Watchword[Any]) -> None:
    seen: list[Any] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> Any:
        seen.append(await auth.users.create("boot@example.com"))
        yield {"host": "state"}
        seen.append(await auth.users.find("boot@example.com"))

    app = FastAPI(lifespan=lifespan)
    auth.install(app)
    with TestClient(app) as client:
        assert client.app_state["host"] == "state"
        assert client.app_state["watchword"] is auth
    assert seen[0] == seen[1]


def test_routes_that_catch_everything_do_not_hide_ours(auth: Watchword[Any]) -> None:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def single_page_app(path: str) -> str:
        return f"page {path}"

    auth.install(app)
    with Client(app) as client:
        client.sign_up()
        assert client.get("/auth/me", headers=client.log_in()).status_code == 200
        assert client.get("/somewhere").json() == "page somewhere"


def test_the_scopes_are_what_the_host_declared(auth: Watchword[Any]) -> None:
    assert dict(auth.scopes) == SCOPES
