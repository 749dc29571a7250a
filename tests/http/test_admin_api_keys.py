"""Administrators see everybody's API keys over HTTP, replace and revoke them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect
from tests.conftest import SCOPES, Client, make_app, make_settings
from tests.http.clients import Service, call
from tests.http.conftest import Admin

from watchword import CurrentPrincipal, Watchword
from watchword.errors import InvalidInput, NotFound
from watchword.events import ApiKeyCreated, ApiKeyRevoked, Event
from watchword.flows import create_api_key

NOBODY = "00000000-0000-7000-8000-000000000000"


def create(admin: Admin, **body: Any) -> dict[str, Any]:
    """A key of Alice's."""
    body = {"name": "ci", "scopes": ["orders:read"], "expires_in": "30d", **body}
    made: dict[str, Any] = admin.post("/auth/api-keys", json=body, headers=admin.log_in()).json()
    admin.seen.clear()
    return made


def status(client: Client, key: str) -> int:
    code: int = client.get("/orders", headers={"Authorization": f"Bearer {key}"}).status_code
    return code


def test_keys_are_listed_of_all_or_of_one_owner_page_by_page(admin: Admin) -> None:
    service = Service(admin, admin.watchword)
    made = [create(admin) for _ in range(3)]
    theirs = call(admin, admin.watchword.api_keys.create, service.id, "nightly", scopes=["orders:read"])

    def ids(**query: Any) -> list[str]:
        return [key["id"] for key in admin.done("GET", "/api-keys", params=query)["items"]]

    alices = [key["id"] for key in reversed(made)]
    assert ids() == [str(theirs.key.id), *alices]
    assert ids(user_id=admin.alice["id"]) == alices
    assert ids(client_id=service.id) == [str(theirs.key.id)]
    assert ids(user_id=admin.boss["id"]) == ids(client_id="nobody") == []
    page = admin.done("GET", "/api-keys", params={"limit": 2})
    assert ids(before=page["next"]) == alices[1:]
    first, second = page["items"]
    assert (first["user_id"], first["client_id"], second["user_id"]) == (None, service.id, admin.alice["id"])
    assert "key" not in first
    assert made[-1]["key"] not in str(page)


def test_a_rotated_key_is_like_the_old_one_which_ends_at_once(admin: Admin) -> None:
    old = create(admin)
    assert status(admin, old["key"]) == 200
    new = admin.done("POST", f"/api-keys/{old['id']}/rotate")
    assert (status(admin, old["key"]), status(admin, new["key"])) == (401, 200)
    for name in ("name", "scopes", "expires_at"):
        assert new[name] == old[name]
    assert (new["user_id"], new["client_id"]) == (admin.alice["id"], None)
    assert new["id"] != old["id"]
    created, revoked = admin.seen
    assert isinstance(created, ApiKeyCreated)
    assert isinstance(revoked, ApiKeyRevoked)
    assert (created.replaces, str(revoked.api_key_id), revoked.ends_at) == (UUID(old["id"]), old["id"], None)
    assert {created.actor, revoked.actor} == {admin.boss["id"]}
    assert new["key"] not in repr(admin.seen)
    assert admin.ask("POST", f"/api-keys/{old['id']}/rotate").status_code == 404


def test_with_a_grace_both_keys_are_good_until_it_ends(admin: Admin) -> None:
    old = create(admin)
    new = admin.done("POST", f"/api-keys/{old['id']}/rotate", json={"grace": "1h"})
    assert (status(admin, old["key"]), status(admin, new["key"])) == (200, 200)
    assert new["expires_at"] == old["expires_at"]
    ending = next(key for key in admin.done("GET", "/api-keys")["items"] if key["id"] == old["id"])
    life = datetime.fromisoformat(ending["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert abs(life - timedelta(hours=1)) < timedelta(seconds=1)
    revoked = admin.seen[-1]
    assert isinstance(revoked, ApiKeyRevoked)
    assert revoked.ends_at == datetime.fromisoformat(ending["expires_at"])


def test_a_grace_never_prolongs_a_key(admin: Admin) -> None:
    old = create(admin, expires_in="1h")
    admin.done("POST", f"/api-keys/{old['id']}/rotate", json={"grace": "2h"})
    ending = next(key for key in admin.done("GET", "/api-keys")["items"] if key["id"] == old["id"])
    assert ending["expires_at"] == old["expires_at"]


def test_a_socket_that_was_open_ends_with_the_grace(database_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    app = make_app(auth)

    @app.websocket("/live")
    async def live(websocket: WebSocket, principal: CurrentPrincipal) -> None:
        await websocket.accept()
        await websocket.send_text("open")
        await principal.ended()
        await websocket.close(4401)

    with Client(app) as client:
        user = client.sign_up()
        old = call(client, auth.api_keys.create, UUID(user["id"]), "ci", scopes=["orders:read"])
        headers = {"Authorization": f"Bearer {old.secret}"}
        with client.websocket_connect("/live", headers=headers) as socket:
            assert socket.receive_text() == "open"
            call(client, auth.api_keys.rotate, old.key.id, grace=timedelta(seconds=0.3))
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text()
        assert status(client, old.secret) == 401


def test_of_many_rotations_at_once_one_makes_a_key(admin: Admin) -> None:
    old = create(admin)

    async def rotate_at_once() -> list[object]:
        rotations = (admin.watchword.api_keys.rotate(UUID(old["id"])) for _ in range(8))
        return await asyncio.gather(*rotations, return_exceptions=True)

    outcomes = call(admin, rotate_at_once)
    assert sum(isinstance(outcome, NotFound) for outcome in outcomes) == 7
    assert len(admin.done("GET", "/api-keys")["items"]) == 1


def test_a_rotation_adds_no_key_to_a_hundred(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_api_key, "MOST_KEYS", 2)
    old, _ = create(admin), create(admin)
    admin.done("POST", f"/api-keys/{old['id']}/rotate")
    (_, old) = admin.done("GET", "/api-keys")["items"]
    refused = admin.ask("POST", f"/api-keys/{old['id']}/rotate", json={"grace": 60})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_api_keys")
    after = admin.done("GET", "/api-keys")["items"][1]
    assert after == old, "what was refused changes nothing"


def test_a_clients_key_is_rotated_too(admin: Admin) -> None:
    service = Service(admin, admin.watchword)
    old = call(admin, admin.watchword.api_keys.create, service.id, "nightly", scopes=["orders:read"])
    new = admin.done("POST", f"/api-keys/{old.key.id}/rotate")
    assert (new["client_id"], new["user_id"]) == (service.id, None)
    assert (status(admin, old.secret), status(admin, new["key"])) == (401, 200)
    call(admin, admin.watchword.clients.disable, service.id)
    assert admin.ask("POST", f"/api-keys/{new['id']}/rotate").status_code == 404


def test_a_key_is_revoked_whoevers_it_is(admin: Admin) -> None:
    made = create(admin)
    admin.done("DELETE", f"/api-keys/{made['id']}")
    assert status(admin, made["key"]) == 401
    assert admin.ask("DELETE", f"/api-keys/{made['id']}").status_code == 404
    (told,) = admin.seen
    assert (type(told), told.actor) == (ApiKeyRevoked, admin.boss["id"])


@pytest.mark.usefixtures("as_in_six_minutes")
def test_an_old_login_rotates_no_key(admin: Admin) -> None:
    refused = admin.ask("POST", f"/api-keys/{NOBODY}/rotate")
    assert refused.status_code == 401
    assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]


def test_what_cannot_be_is_said_in_the_usual_shape(admin: Admin) -> None:
    made = create(admin)
    rotate = f"/api-keys/{made['id']}/rotate"
    asked: list[tuple[str, str, Any, int]] = [
        ("GET", f"/api-keys?user_id={NOBODY}&client_id=x", None, 422),
        ("GET", "/api-keys?user_id=x", None, 422),
        ("GET", "/api-keys?client_id=%00", None, 422),
        ("GET", "/api-keys?limit=0", None, 422),
        ("POST", f"/api-keys/{NOBODY}/rotate", None, 404),
        ("POST", rotate, {"grace": "366d"}, 422),
        ("POST", rotate, {"grace": -1}, 422),
        ("POST", rotate, {"grace": "soon"}, 422),
        ("POST", rotate, {"more": 1}, 422),
        ("DELETE", f"/api-keys/{NOBODY}", None, 404),
        ("DELETE", "/api-keys/x", None, 422),
    ]
    for method, url, body, code in asked:
        answer = admin.ask(method, url, **({} if body is None else {"json": body}))
        assert answer.status_code == code, (method, url, body, answer.text)
        assert set(answer.json()) == {"detail", "code"}
    assert status(admin, made["key"]) == 200
    with pytest.raises(InvalidInput):
        call(admin, admin.watchword.api_keys.rotate, UUID(made["id"]), grace=timedelta(seconds=-1))
    heard: list[Event] = [event for event in admin.seen if isinstance(event, ApiKeyCreated | ApiKeyRevoked)]
    assert heard == []
