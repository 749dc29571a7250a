"""What is held about a user, given out and deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from tests.conftest import EMAIL, PASSWORD, SCOPES, Client, make_app, make_settings
from tests.inbox import Inbox

from watchword import Watchword
from watchword.flows import export_account
from watchword.storage.tables import event, metadata

NEW = "new@example.com"


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url), scopes=SCOPES, mailer=Inbox())


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    with Client(make_app(auth)) as client:
        client.sign_up()
        client.sign_up("bob@example.com")
        yield client


def test_an_export_holds_everything_about_the_caller_and_nobody_else(client: Client) -> None:
    client.log_in("bob@example.com")
    tokens = client.ask_token().json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    key = client.post("/auth/api-keys", json={"name": "ci", "scopes": ["orders:read"]}, headers=headers).json()
    client.post("/auth/email/change", json={"new_email": NEW, "password": PASSWORD}, headers=headers)
    answer = client.get("/auth/me/export", headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    export = answer.json()
    assert export.keys() == {"account", "sessions", "browser_sessions", "api_keys", "consents", "links", "events"}
    assert export["account"] == client.get("/auth/me", headers=headers).json()
    (session,) = export["sessions"]
    assert (session["address"], session["amr"], session["scopes"]) == ("testclient", ["pwd"], sorted(SCOPES))
    assert [each["id"] for each in export["api_keys"]] == [key["id"]]
    assert [(link["purpose"], link["email"]) for link in export["links"]] == [("change_email", NEW)]
    assert [each["name"] for each in export["events"]] == [
        "email_change_requested",
        "api_key_created",
        "logged_in",
        "user_registered",
    ]
    assert export["events"][2]["fields"]["address"] == "testclient"
    for secret in ("argon2", key["key"], tokens["refresh_token"], "bob", "digest", "epoch", "wwo_"):
        assert secret not in answer.text


def test_an_export_has_more_than_a_page(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_account, "_PAGE", 2)
    for _ in range(4):
        client.log_in()
    export = client.get("/auth/me/export", headers=client.log_in()).json()
    assert len({session["id"] for session in export["sessions"]}) == len(export["sessions"]) == 5
    assert len(export["events"]) == 6


def test_an_export_needs_a_login_of_ones_own_that_is_recent(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/auth/me/export").status_code == 401
    headers = client.log_in()
    key = client.post("/auth/api-keys", json={"name": "ci", "scopes": ["orders:read"]}, headers=headers).json()["key"]
    assert client.get("/auth/me/export", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    monkeypatch.setattr("watchword.guard.dependencies.time.time", lambda: datetime.now(UTC).timestamp() + 301)
    stale = client.get("/auth/me/export", headers=headers)
    assert "insufficient_user_authentication" in stale.headers["www-authenticate"]


def test_of_a_deleted_account_events_alone_are_left(client: Client, auth: Watchword[Any]) -> None:
    headers = client.log_in()
    user_id = UUID(client.get("/auth/me", headers=headers).json()["id"])
    client.post("/auth/api-keys", json={"name": "ci", "scopes": ["orders:read"]}, headers=headers)
    client.post("/auth/password/forgot", json={"email": EMAIL})
    assert client.delete("/auth/me", headers=headers).status_code == 204

    async def left() -> dict[str, int]:
        counts = {}
        async with auth.open_session.storage.connection() as connection:
            for table in metadata.sorted_tables:
                if "user_id" in table.c:
                    count = select(func.count()).select_from(table).where(table.c.user_id == user_id)
                    counts[table.name] = (await connection.execute(count)).scalar_one()
        return counts

    assert client.portal is not None
    counts = client.portal.call(left)
    assert len(counts) >= 5
    assert {name for name, count in counts.items() if count} == {event.name}
