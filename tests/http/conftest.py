"""What tests of sessions share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests.conftest import Client

from watchword import Watchword
from watchword.storage.tables import session

LetPass = Callable[..., None]


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
