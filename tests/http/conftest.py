"""What tests of sessions share, those of the admin API, and those of mail."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests.conftest import SCOPES, Client, make_app, make_settings
from tests.inbox import Inbox

from watchword import Watchword
from watchword.events import Event
from watchword.storage.tables import session

LetPass = Callable[..., None]


@pytest.fixture
def inbox() -> Inbox:
    """What takes mail, instead of a server."""
    return Inbox()


@pytest.fixture
def let_pass(client: Client, auth: Watchword[Any]) -> LetPass:
    """Move time for all sessions: the clock is the database's, so what is stored moves into the past."""

    async def shift(by: timedelta) -> None:
        moments = (session.c.rotated_at, session.c.idle_expires_at, session.c.expires_at)
        async with auth.open_session.storage.connection(writes=True) as connection:
            for row in (await connection.execute(select(session.c.id, *moments))).all():
                values = {moment.name: row._mapping[moment] - by for moment in moments}
                await connection.execute(update(session).where(session.c.id == row.id).values(values))

    def let_pass(**duration: float) -> None:
        assert client.portal is not None
        client.portal.call(shift, timedelta(**duration))

    return let_pass


BOSS = "boss@example.com"


class Admin(Client):
    """A client, an administrator's headers, and the events that were seen."""

    boss: dict[str, Any]
    alice: dict[str, Any]
    bearer: dict[str, str]
    seen: list[Event]
    watchword: Watchword[Any]

    def ask(self, method: str, path: str, **fields: Any) -> Any:
        return self.request(method, f"/auth/admin{path}", headers=self.bearer, **fields)

    def done(self, method: str, path: str, **fields: Any) -> Any:
        answer = self.ask(method, path, **fields)
        assert answer.status_code in {200, 201, 204}, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def admin(database_url: str) -> Iterator[Admin]:
    auth: Watchword[Any] = Watchword(make_settings(database_url), scopes=SCOPES)
    with Admin(make_app(auth)) as client:
        client.watchword = auth
        client.alice, client.boss = client.sign_up(), client.sign_up(BOSS)
        assert client.portal is not None
        client.portal.call(auth.roles.give, UUID(client.boss["id"]), "admin")
        client.bearer = client.log_in(BOSS, scope="admin")
        client.seen = []
        auth.on(Event, client.seen.append)
        yield client


@pytest.fixture
def as_in_six_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time, as the guards for recent logins have it."""
    later = time.time() + 360
    monkeypatch.setattr("watchword.guard.dependencies.time", SimpleNamespace(time=lambda: later))
