"""F4: after a restart what was ended stays ended; after a restored backup `watchword db restored` ends it again."""

import json
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from tests.cli.processes import run
from tests.conftest import CHEAP_HASH, EMAIL, PASSWORD, SCOPES, SECRET, Client, make_app, make_settings
from tests.inbox import Inbox
from tests.second_factors import Clock, enrol, pending_token, verify

from watchword import Watchword
from watchword.events import NOWHERE, Events
from watchword.flows.end_everything import EndEverything
from watchword.identity.browser_sessions import OpenBrowserSession
from watchword.storage.sessions import Lifetimes
from watchword.storage.tables import browser_session


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


def restored(directory: Path, url: str, *options: str) -> dict[str, int]:
    """Tell it, and what it ended."""
    settings = {"WATCHWORD_SECRET": SECRET, "WATCHWORD_PASSWORD_COST": CHEAP_HASH}
    outcome = run(directory, "db", "restored", "--yes", "--json", *options, WATCHWORD_DATABASE_URL=url, **settings)
    assert outcome.returncode == 0, outcome.stderr
    ended: dict[str, int] = json.loads(outcome.stdout)
    return ended


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
        restored(tmp_path, sqlite_url)
    with started(sqlite_url) as client:
        assert is_in(client, tokens) == ((401, 400) if is_told else (200, 200))
        assert client.ask_token().status_code == 200


@pytest.mark.parametrize("keeps", [False, True])
def test_what_was_used_since_a_backup_is_not_good_again(tmp_path: Path, database_url: str, keeps: bool) -> None:
    """Nobody knows what was used since the backup. A minute later the authenticator app is good."""
    clock = Clock()
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    with Client(make_app(auth)) as client:
        clock.govern(auth)
        client.sign_up()
        phone, codes = enrol(client, clock, client.log_in())
        clock.now = time.time()
        waiting = pending_token(client)
        ended = restored(tmp_path, database_url, *(["--keep-recovery-codes"] if keeps else []))
        assert ended == {"sessions": 1, "users": 1, "api_keys": 0, "recovery_codes": 0 if keeps else 10}
        assert verify(client, waiting, codes[0]).status_code == 401
        for ahead in (-1, 0, 1):
            assert client.ask_token(otp=phone.code(ahead)).status_code == 400
        assert client.ask_token(otp=codes[0]).status_code == (200 if keeps else 400)
        clock.tick(3)
        assert client.ask_token(otp=phone.code()).status_code == 200


def test_links_of_before_a_restored_backup_lead_nowhere(tmp_path: Path, sqlite_url: str) -> None:
    inbox = Inbox()
    auth: Watchword[Any] = Watchword(make_settings(sqlite_url, email_verification="required"), mailer=inbox)
    with Client(make_app(auth)) as client:
        client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD})
        token = inbox.token(client, auth)
        restored(tmp_path, sqlite_url)
        assert client.post("/auth/email/verify", json={"token": token}).status_code == 400
        client.post("/auth/users", json={"email": EMAIL, "password": PASSWORD})
        assert client.post("/auth/email/verify", json={"token": inbox.token(client, auth)}).status_code == 204


@pytest.mark.anyio
async def test_no_browser_session_is_left_by_a_restored_backup(start: Any, database_url: str) -> None:
    async with start(database_url) as auth:
        await auth.users.create(EMAIL, PASSWORD)
        storage = auth.open_session.storage
        async with storage.reading() as stores:
            account = await stores.users.find(EMAIL)
        lifetimes = Lifetimes(timedelta(days=1), timedelta(days=1))
        await OpenBrowserSession(storage, lifetimes, Events())(account, amr=("pwd",), device=NOWHERE)

        async def number() -> int:
            async with storage.connection() as connection:
                found: int = (await connection.execute(select(func.count()).select_from(browser_session))).scalar_one()
                return found

        assert await number() == 1
        await EndEverything(storage)()
        assert await number() == 0
