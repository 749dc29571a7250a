"""A bare FastAPI endpoint that does one raw `UPDATE … RETURNING`, with asyncpg and nothing between.

The pool sends no reset when a connection comes back: one statement leaves nothing behind, and it would be a second
round trip.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request

_ROWS = 64


async def _leave_as_it_is(_connection: object) -> None:
    return


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the table and the pool."""
    url = os.environ["WATCHWORD_DATABASE_URL"].replace("+asyncpg", "")
    async with asyncpg.create_pool(url, min_size=10, max_size=10, reset=_leave_as_it_is) as pool:
        await pool.execute("CREATE TABLE counter (id int PRIMARY KEY, value int NOT NULL)")
        await pool.execute("INSERT INTO counter SELECT id, 0 FROM generate_series(0, $1::int) AS id", _ROWS)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/rows/{number}")
async def row(request: Request, number: int) -> dict[str, int]:
    """Count."""
    statement = "UPDATE counter SET value = value + 1 WHERE id = $1 RETURNING value"
    return {"value": await request.app.state.pool.fetchval(statement, number)}
