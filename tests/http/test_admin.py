"""The admin API: who gets in, what it does, and that events tell who did it."""

from typing import Any
from uuid import UUID

from tests.conftest import EMAIL, Client, make_app, make_settings
from tests.http.conftest import BOSS, Admin

from watchword import Watchword
from watchword.events import (
    LoggedOutEverywhere,
    RoleChanged,
    RoleDeleted,
    RoleGiven,
    RoleTaken,
    SessionEnded,
    UserDeleted,
    UserDisabled,
    UserEnabled,
)

PATHS = [
    ("GET", "/users"), ("GET", "/users/{id}"), ("POST", "/users/{id}/disable"), ("POST", "/users/{id}/enable"),
    ("POST", "/users/{id}/reset-2fa"), ("DELETE", "/users/{id}"), ("GET", "/users/{id}/sessions"),
    ("DELETE", "/users/{id}/sessions"),
    ("DELETE", "/users/{id}/sessions/{id}"), ("PUT", "/users/{id}/roles/admin"), ("DELETE", "/users/{id}/roles/user"),
    ("GET", "/roles"), ("POST", "/roles"), ("PUT", "/roles/user"), ("DELETE", "/roles/user"), ("GET", "/events"),
    ("GET", "/clients"), ("POST", "/clients"), ("GET", "/clients/{id}"), ("PATCH", "/clients/{id}"),
    ("DELETE", "/clients/{id}"), ("POST", "/clients/{id}/disable"), ("POST", "/clients/{id}/enable"),
    ("POST", "/clients/{id}/secrets"), ("DELETE", "/clients/{id}/secrets/{id}"),
    ("GET", "/api-keys"), ("POST", "/api-keys/{id}/rotate"), ("DELETE", "/api-keys/{id}"),
    ("POST", "/users/{id}/reset"),
]  # fmt: skip


def test_nobody_else_gets_in(admin: Admin) -> None:
    known = {
        (method, path.removeprefix("/auth/admin"))
        for path, methods in admin.get("/openapi.json").json()["paths"].items()
        if path.startswith("/auth/admin")
        for method in map(str.upper, methods)
    }
    assert len(known) == len(PATHS), "a new endpoint belongs into this test"
    plain = admin.log_in(BOSS)  # the role alone is not enough: the login has to ask
    made = admin.post("/auth/api-keys", headers=plain, json={"name": "a key", "scopes": ["orders:read"]}).json()
    key = {"Authorization": f"Bearer {made['key']}"}
    for method, path in PATHS:
        url = f"/auth/admin{path.format(id=admin.alice['id'])}"
        assert admin.request(method, url).status_code == 401, url
        for headers in (admin.log_in(), plain, key):
            refused = admin.request(method, url, headers=headers)
            assert refused.status_code == 403, url
            assert 'scope="admin"' in refused.headers["WWW-Authenticate"]


def test_a_lost_role_shuts_the_door_at_once(admin: Admin) -> None:
    admin.done("GET", "/users")
    admin.done("DELETE", f"/users/{admin.boss['id']}/roles/admin")
    assert admin.ask("GET", "/users").status_code == 403


def test_users_are_found_page_by_page_and_by_how_their_address_begins(admin: Admin) -> None:
    for name in ("alba", "Albert", "zoe", "alb_", "alb%"):
        admin.sign_up(f"{name}@example.com")
    everybody: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = admin.done("GET", "/users", params={"limit": 3, **after})
        everybody += [user["email"].lower() for user in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert everybody == sorted(everybody)
    assert len(everybody) == len(set(everybody)) == 7

    def found(beginning: str) -> list[str]:
        page = admin.done("GET", "/users", params={"email": beginning})
        return [user["email"].partition("@")[0] for user in page["items"]]

    assert found("ALB") == ["alb%", "alb_", "alba", "Albert"]
    assert found("alb_") == ["alb_"]
    assert found("zoe@example.com") == ["zoe"]
    assert found("nobody") == []


def test_a_user_is_shut_out_let_in_and_deleted(admin: Admin) -> None:
    path = f"/users/{admin.alice['id']}"
    bearer = admin.log_in()
    assert admin.done("GET", path)["email"] == EMAIL
    assert admin.done("POST", f"{path}/disable")["is_active"] is False
    assert admin.get("/mine", headers=bearer).status_code == 401
    assert admin.ask_token().status_code == 400
    assert admin.done("POST", f"{path}/enable")["is_active"] is True
    assert admin.ask_token().status_code == 200
    admin.done("DELETE", path)
    assert admin.ask("GET", path).status_code == 404
    told = [event for event in admin.seen if isinstance(event, UserDisabled | UserEnabled | UserDeleted)]
    assert [type(event) for event in told] == [UserDisabled, UserEnabled, UserDeleted]
    assert {event.actor for event in told} == {admin.boss["id"]}


def test_a_users_sessions_are_seen_and_ended(admin: Admin) -> None:
    path = f"/users/{admin.alice['id']}/sessions"
    first, second = admin.log_in(), admin.log_in()
    newest, oldest = admin.done("GET", path)["items"]
    admin.done("DELETE", f"{path}/{oldest['id']}")
    assert admin.get("/mine", headers=first).status_code == 401
    assert admin.get("/mine", headers=second).status_code == 200
    assert admin.done("GET", path) == {"items": [newest], "next": None}
    admin.done("DELETE", path)
    assert admin.get("/mine", headers=second).status_code == 401
    told = [event for event in admin.seen if isinstance(event, SessionEnded | LoggedOutEverywhere)]
    assert [(type(event), event.actor) for event in told] == [
        (SessionEnded, admin.boss["id"]),
        (LoggedOutEverywhere, admin.boss["id"]),
    ]


def test_roles_are_made_changed_given_taken_and_deleted(admin: Admin) -> None:
    made = admin.done("POST", "/roles", json={"name": "clerk", "scopes": ["orders:write", "orders:read"]})
    assert made == {"name": "clerk", "description": "", "scopes": ["orders:read", "orders:write"]}
    given = admin.done("PUT", f"/users/{admin.alice['id']}/roles/clerk")
    assert given["roles"] == ["clerk", "user"]
    assert admin.done("PUT", "/roles/clerk", json={"scopes": ["orders:read"]})["scopes"] == ["orders:read"]
    assert [role["name"] for role in admin.done("GET", "/roles")["items"]] == ["admin", "clerk", "user"]
    page = admin.done("GET", "/roles", params={"limit": 1})
    assert [role["name"] for role in admin.done("GET", "/roles", params={"after": page["next"]})["items"]] == [
        "clerk",
        "user",
    ]
    assert admin.done("DELETE", f"/users/{admin.alice['id']}/roles/clerk")["roles"] == ["user"]
    admin.done("DELETE", "/roles/clerk")
    told = [(type(event), event.actor) for event in admin.seen]
    kinds = [RoleChanged, RoleGiven, RoleChanged, RoleTaken, RoleDeleted]
    assert told == [(kind, admin.boss["id"]) for kind in kinds]


def test_what_happened_can_be_read_later_page_by_page(admin: Admin) -> None:
    admin.ask_token(password="not the password")
    tokens = admin.ask_token().json()
    admin.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    admin.done("POST", f"/users/{admin.alice['id']}/disable")
    about = admin.done("GET", "/events", params={"user_id": admin.alice["id"]})["items"]
    # Refused logins and refreshes can be caused without end: they are in the log alone.
    assert [event["name"] for event in about] == ["user_disabled", "logged_in", "user_registered"]
    assert [event["actor"] for event in about] == [admin.boss["id"], None, None]
    assert about[1]["fields"]["amr"] == ["pwd"]
    assert tokens["access_token"] not in str(about)
    page = admin.done("GET", "/events", params={"limit": 2})
    rest = admin.done("GET", "/events", params={"limit": 100, "before": page["next"]})
    every = [event["name"] for event in (*page["items"], *rest["items"])]
    assert every[:2] == ["user_disabled", "logged_in"]
    assert every.count("user_registered") == 2


def test_where_no_events_are_kept_there_are_none(sqlite_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, events_kept_for="0"))
    with Client(make_app(auth)) as client:
        boss = client.sign_up()
        assert client.portal is not None
        client.portal.call(auth.roles.give, UUID(boss["id"]), "admin")
        assert client.get("/auth/admin/events", headers=client.log_in(scope="admin")).json()["items"] == []


def test_what_cannot_be_is_said_in_the_usual_shape(admin: Admin) -> None:
    nobody = UUID(int=0)
    for method, path, fields, status in (
        ("GET", f"/users/{nobody}", {}, 404),
        ("POST", f"/users/{nobody}/disable", {}, 404),
        ("DELETE", f"/users/{nobody}", {}, 404),
        ("DELETE", f"/users/{nobody}/sessions", {}, 404),
        ("DELETE", f"/users/{admin.alice['id']}/sessions/{nobody}", {}, 404),
        ("PUT", f"/users/{admin.alice['id']}/roles/nothing", {}, 404),
        ("PUT", f"/users/{nobody}/roles/user", {}, 404),
        ("PUT", "/roles/nothing", {"json": {"scopes": []}}, 404),
        ("DELETE", "/roles/nothing", {}, 404),
        ("DELETE", "/roles/user", {}, 422),
        ("POST", "/roles", {"json": {"name": "user", "scopes": []}}, 422),
        ("POST", "/roles", {"json": {"name": "a b", "scopes": []}}, 422),
        ("POST", "/roles", {"json": {"name": "clerk", "scopes": ["openid"]}}, 422),
        ("POST", "/roles", {"json": {"name": "clerk", "scopes": [f"s:{n}" for n in range(100_000)]}}, 422),
        ("POST", "/roles", {"json": {"name": "clerk", "scopes": [], "more": 1}}, 422),
        ("GET", "/users?limit=0", {}, 422),
        ("GET", "/users?email=%00", {}, 422),
        ("GET", "/users?after=%00", {}, 422),
        ("DELETE", "/roles/%00", {}, 422),
        ("PUT", f"/users/{admin.alice['id']}/roles/%00", {}, 422),
        ("GET", "/users/no-uuid", {}, 422),
    ):
        answer = admin.ask(method, path, **fields)
        assert answer.status_code == status, (method, path, answer.text)
        assert set(answer.json()) == {"detail", "code"}


def test_no_administrator_sets_or_reads_a_password(client: Client) -> None:
    """ASVS 6.4.6: what the admin API takes and answers has no such field; a user is mailed a link."""
    document = client.get("/openapi.json").json()

    def fields(part: Any) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(fields, part))
        if not isinstance(part, dict):
            return set()
        named = set(part.get("properties", {}))
        if (reference := part.get("$ref")) is not None:
            named |= fields(document["components"]["schemas"][reference.rpartition("/")[2]])
        return named.union(*map(fields, part.values()))

    seen: set[str] = set()
    for path, operations in document["paths"].items():
        if path.startswith("/auth/admin"):
            seen |= fields(operations)
    assert "email" in seen
    assert not {name for name in seen if "password" in name}
