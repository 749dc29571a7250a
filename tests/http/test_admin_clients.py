"""Administrators register, change and delete clients over HTTP, and rotate their secrets."""

from typing import Any

import pytest
from tests.http.clients import Signer, basic
from tests.http.conftest import Admin

from watchword.events import ClientCreated, ClientSecretAdded

BILLING = {"client_name": "Billing", "grant_types": ["client_credentials"], "scope": "orders:write orders:read"}


def register(admin: Admin, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = admin.done("POST", "/clients", json={**BILLING, **changes})
    return made


def ask_token(admin: Admin, client: dict[str, Any], secret: str) -> Any:
    form = {"grant_type": "client_credentials"}
    return admin.post("/auth/token", data=form, headers=basic(client["client_id"], secret))


def test_a_client_is_registered_and_its_secret_is_shown_once(admin: Admin) -> None:
    answer = admin.ask("POST", "/clients", json={**BILLING, "access_token_lifetime": "1h"})
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    secret, secret_id = made.pop("client_secret"), made.pop("client_secret_id")
    token = ask_token(admin, made, secret).json()
    assert (token["scope"], token["expires_in"]) == ("orders:read orders:write", 3600)
    shown = admin.done("GET", f"/clients/{made['client_id']}")
    (known,) = shown.pop("secrets")
    assert known == {"id": secret_id, "created_at": known["created_at"], "expires_at": None}
    assert shown == made
    assert {name: made[name] for name in made if name not in {"client_id", "created_at"}} == {
        "client_name": "Billing",
        "is_active": True,
        "grant_types": ["client_credentials"],
        "scope": "orders:read orders:write",
        "redirect_uris": [],
        "token_endpoint_auth_method": "client_secret_basic",
        "jwks": None,
        "access_token_lifetime": "1h",
        "refresh_idle_lifetime": None,
        "is_first_party": False,
        "id_token_signed_response_alg": "RS256",
        "post_logout_redirect_uris": [],
        "backchannel_logout_uri": None,
        "resources": [],
    }
    assert admin.done("GET", "/clients") == {"items": [made], "next": None}


def test_a_client_without_a_secret_gets_none(admin: Admin) -> None:
    keys = {"keys": [Signer().public_jwk]}
    signs = register(admin, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert (signs["client_secret"], signs["client_secret_id"]) == (None, None)
    assert signs["jwks"]["keys"][0]["kid"] == "a-key"
    app = {"grant_types": ["authorization_code"], "redirect_uris": ["https://b.example/", "https://a.example/"]}
    public = register(admin, **app, token_endpoint_auth_method="none")
    assert public["client_secret"] is None
    assert public["redirect_uris"] == ["https://a.example/", "https://b.example/"]


def test_what_openid_connect_registers_is_kept_and_changed(admin: Admin) -> None:
    app = {
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://a.example/cb"],
        "is_first_party": True,
        "id_token_signed_response_alg": "ES256",
        "post_logout_redirect_uris": ["https://a.example/bye", "https://a.example/"],
        "backchannel_logout_uri": "https://a.example/logout",
        "resources": ["https://api.example/orders"],
    }
    made = register(admin, **app)
    assert {name: made[name] for name in app} == {
        **app,
        "post_logout_redirect_uris": sorted(made["post_logout_redirect_uris"]),
    }
    path = f"/clients/{made['client_id']}"
    changed = admin.done("PATCH", path, json={"backchannel_logout_uri": None, "id_token_signed_response_alg": "RS256"})
    assert (changed["backchannel_logout_uri"], changed["id_token_signed_response_alg"]) == (None, "RS256")
    assert changed["resources"] == app["resources"]


def test_clients_come_page_by_page_in_the_order_they_were_registered(admin: Admin) -> None:
    made = [register(admin)["client_id"] for _ in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = admin.done("GET", "/clients", params={"limit": 2, **after})
        seen += [client["client_id"] for client in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == made


def test_a_change_keeps_what_it_does_not_name_and_holds_at_once(admin: Admin) -> None:
    made = register(admin, access_token_lifetime=600)
    path = f"/clients/{made['client_id']}"
    token = ask_token(admin, made, made["client_secret"]).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert admin.get("/orders", headers=bearer).status_code == 200
    changed = admin.done("PATCH", path, json={"client_name": "Invoices", "scope": "orders:write"})
    assert (changed["client_name"], changed["scope"], changed["access_token_lifetime"]) == (
        "Invoices", "orders:write", "10m",
    )  # fmt: skip
    assert admin.get("/orders", headers=bearer).status_code == 403
    assert admin.done("PATCH", path, json={"access_token_lifetime": None})["access_token_lifetime"] is None
    assert admin.done("PATCH", path, json={}) == {**changed, "access_token_lifetime": None}


def test_a_client_is_shut_out_let_in_and_deleted(admin: Admin) -> None:
    made = register(admin)
    path = f"/clients/{made['client_id']}"
    assert admin.done("POST", f"{path}/disable")["is_active"] is False
    assert ask_token(admin, made, made["client_secret"]).status_code == 401
    assert admin.done("POST", f"{path}/enable")["is_active"] is True
    assert ask_token(admin, made, made["client_secret"]).status_code == 200
    admin.done("DELETE", path)
    assert ask_token(admin, made, made["client_secret"]).status_code == 401
    assert admin.ask("GET", path).status_code == 404


def test_a_secret_is_rotated_without_a_gap_two_at_a_time(admin: Admin) -> None:
    made = register(admin)
    path = f"/clients/{made['client_id']}/secrets"
    new = admin.done("POST", path, json={"expires_in": "90d"})
    assert new["expires_at"] is not None
    for secret in (made["client_secret"], new["client_secret"]):
        assert ask_token(admin, made, secret).status_code == 200
    assert admin.ask("POST", path).status_code == 422, "two at a time"
    admin.done("DELETE", f"{path}/{made['client_secret_id']}")
    assert ask_token(admin, made, made["client_secret"]).status_code == 401
    assert ask_token(admin, made, new["client_secret"]).status_code == 200
    assert admin.done("POST", path)["expires_at"] is None


def test_each_step_tells_who_did_it_and_no_secret(admin: Admin) -> None:
    made = register(admin)
    path = f"/clients/{made['client_id']}"
    new = admin.done("POST", f"{path}/secrets")
    admin.done("DELETE", f"{path}/secrets/{new['id']}")
    admin.done("PATCH", path, json={"client_name": "Invoices"})
    for step in ("disable", "enable"):
        admin.done("POST", f"{path}/{step}")
    admin.done("DELETE", path)
    told = [(event.name(), event.actor, event.device.user_agent) for event in admin.seen]
    steps = ("client_created", "client_secret_added", "client_secret_removed", "client_changed", "client_disabled",
             "client_enabled", "client_deleted")  # fmt: skip
    assert told == [(step, admin.boss["id"], "testclient") for step in steps]
    assert new["client_secret"] not in repr(admin.seen)
    kept = admin.done("GET", "/events", params={"limit": 7})["items"]
    assert [(event["name"], event["actor"]) for event in reversed(kept)] == [(step, actor) for step, actor, _ in told]


@pytest.mark.usefixtures("as_in_six_minutes")
def test_what_gives_somebody_a_credential_takes_a_recent_login(admin: Admin) -> None:
    for method, path in (("POST", ""), ("PATCH", "/x"), ("POST", "/x/secrets")):
        refused = admin.ask(method, f"/clients{path}", json=BILLING if not path else {})
        assert refused.status_code == 401
        assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    assert admin.ask("GET", "/clients").status_code == 200
    assert not [event for event in admin.seen if isinstance(event, ClientCreated | ClientSecretAdded)]


def test_what_cannot_be_is_said_in_the_usual_shape(admin: Admin) -> None:
    made = register(admin)
    path = f"/clients/{made['client_id']}"
    nobody = "00000000-0000-7000-8000-000000000000"
    asked: list[tuple[str, str, Any, int]] = [
        ("GET", f"/clients/{nobody}", None, 404),
        ("GET", "/clients/first-party", None, 404),
        ("PATCH", f"/clients/{nobody}", {}, 404),
        ("DELETE", f"/clients/{nobody}", None, 404),
        ("POST", f"/clients/{nobody}/disable", None, 404),
        ("POST", f"/clients/{nobody}/secrets", None, 404),
        ("DELETE", f"{path}/secrets/{nobody}", None, 404),
        ("DELETE", f"{path}/secrets/no-uuid", None, 422),
        ("GET", "/clients/%00", None, 422),
        ("GET", "/clients?after=%00", None, 422),
        ("GET", "/clients?limit=101", None, 422),
        ("POST", "/clients", {"client_name": "x"}, 422),
        ("POST", "/clients", {**BILLING, "grant_types": ["password"]}, 422),
        ("POST", "/clients", {**BILLING, "name": "x"}, 422),
        ("POST", "/clients", {**BILLING, "scope": 1}, 422),
        ("POST", "/clients", {**BILLING, "scope": ["orders:read"]}, 422),
        ("POST", "/clients", {**BILLING, "client_name": "a\x00b"}, 422),
        ("POST", "/clients", {**BILLING, "access_token_lifetime": "2d"}, 422),
        ("POST", "/clients", {**BILLING, "access_token_lifetime": 1e300}, 422),
        ("POST", "/clients", {**BILLING, "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": 1}}, 422),
        ("PATCH", path, {"client_name": None}, 422),
        ("PATCH", path, {"scope": None}, 422),
        ("PATCH", path, {"token_endpoint_auth_method": "none"}, 422),
        ("PATCH", path, {"is_active": False}, 422),
        ("POST", f"{path}/secrets", {"expires_in": "99999999d"}, 422),
        ("POST", f"{path}/secrets", {"expires_in": 0}, 422),
    ]
    for method, url, body, status in asked:
        answer = admin.ask(method, url, **({} if body is None else {"json": body}))
        assert answer.status_code == status, (method, url, body, answer.text)
        assert set(answer.json()) == {"detail", "code"}
    assert admin.done("GET", "/clients")["items"][0]["client_name"] == "Billing"
