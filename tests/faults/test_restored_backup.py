"""F4: after a restart what was ended stays ended; after a restored backup `watchword db restored` ends it again."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.cli.processes import run
from tests.conftest import CHEAP_HASH, SCOPES, SECRET, Client, make_app, make_settings

from watchword import Watchword


def is_in(client: Client, tokens: dict[str, Any]) -> tuple[int, int]:
    """What the access token gets, and the refresh token."""
    access = client.get("/mine", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    refresh = client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    return access.status_code, refresh.status_code


def started(url: str) -> Client:
    return Client(make_app(Watchword(make_settings(url), scopes=SCOPES)))


def copy(source: str | Path, target: str | Path) -> None:
    with closing(sqlite3.connect(source)) as taken, closing(sqlite3.connect(target)) as given:
        taken.backup(given)


def test_a_restart_forgets_no_end(database_url: str) -> None:
    with started(database_url) as client:
        client.sign_up()
        ended, revoked, kept = (client.ask_token().json() for _ in range(3))
        client.post("/auth/logout", headers={"Authorization": f"Bearer {ended['access_token']}"})
        client.post("/auth/revoke", data={"token": revoked["access_token"]})
        used = [client.ask_token().json()["refresh_token"]]
        for _ in range(3):
            used.append(client.post("/auth/refresh", json={"refresh_token": used[-1]}).json()["refresh_token"])
    with started(database_url) as client:
        assert is_in(client, ended) == (401, 400)
        assert is_in(client, revoked) == (401, 200)
        assert is_in(client, kept) == (200, 200)
        for token in (used[0], used[-1]):  # a replay, which ends the session of the last one
            assert client.post("/auth/refresh", json={"refresh_token": token}).status_code == 400


@pytest.mark.parametrize("is_told", [True, False])
def test_a_restored_backup_does_not_know_what_was_ended_since_unless_it_is_told(
    tmp_path: Path, sqlite_url: str, is_told: bool
) -> None:
    live = sqlite_url.partition(":///")[2]
    with started(sqlite_url) as client:
        client.sign_up()
        tokens = client.ask_token().json()
        copy(live, tmp_path / "backup.db")
        client.post("/auth/logout", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert is_in(client, tokens) == (401, 400)
    copy(tmp_path / "backup.db", live)
    if is_told:
        settings = {"WATCHWORD_SECRET": SECRET, "WATCHWORD_PASSWORD_COST": CHEAP_HASH}
        outcome = run(tmp_path, "db", "restored", "--yes", WATCHWORD_DATABASE_URL=sqlite_url, **settings)
        assert outcome.returncode == 0, outcome.stderr
    with started(sqlite_url) as client:
        assert is_in(client, tokens) == ((401, 400) if is_told else (200, 200))
        assert client.ask_token().status_code == 200
