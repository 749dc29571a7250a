"""Watchword on a SQLite that may lose its last commits in a power cut: what durability costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import event

from watchword import Watchword


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Set each connection from here on to `synchronous=NORMAL`."""
    engine = auth.open_session.storage.engine

    @event.listens_for(engine.sync_engine, "connect")
    def relax(connection: Any, _record: object) -> None:
        connection.cursor().execute("PRAGMA synchronous=NORMAL")

    await engine.dispose()
    yield


app = FastAPI(lifespan=lifespan)
auth = Watchword()
auth.install(app)
