"""How long is a revoked token still taken by another process? Two servers on one database, a logout at the first."""

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any, Final

from rich.console import Console

from bench.postgresql import postgresql
from bench.server import EMAIL, Server, serving

_GIVE_UP_SECONDS: Final = 10.0


def measure_revocation(tries: int) -> list[dict[str, Any]]:
    """Milliseconds from the answer to the logout until the other server refuses.

    Args:
        tries: Logouts on each database.
    """
    rows = []
    for name, databases in (("SQLite", _sqlite()), ("PostgreSQL", postgresql())):
        with databases as url:
            rows.append(asyncio.run(_measure(name, url, tries)))
    return rows


async def _measure(name: str, url: str, tries: int) -> dict[str, Any]:
    settings = {"WATCHWORD_DATABASE_URL": url, "WATCHWORD_SECRET": secrets.token_urlsafe(32)}
    async with serving(settings=settings) as here, serving(settings=settings) as there:
        await here.sign_up(EMAIL)
        with Console(stderr=True).status(f"{name}: {tries} logouts"):
            delays = [await _once(here, there) for _ in range(tries)]
    percentiles = quantiles(delays, n=100)
    return {
        "database": name,
        "logouts": len(delays),
        "p50 ms": median(delays),
        "p90 ms": percentiles[89],
        "p99 ms": percentiles[98],
        "max ms": max(delays),
    }


async def _once(here: Server, there: Server) -> float:
    """One logout: the other server has remembered the token, and is asked without pause until it refuses."""
    token = (await here.log_in(EMAIL)).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(2):
        (await there.client.get("/orders", headers=headers)).raise_for_status()
    await asyncio.sleep(random.uniform(0, 0.3))  # noqa: S311 — at any moment between two looks of the follower
    (await here.client.post("/auth/logout", headers=headers)).raise_for_status()
    logged_out = time.perf_counter()
    taken_at = logged_out
    while True:
        asked_at = time.perf_counter()
        answer = await there.client.get("/orders", headers=headers)
        if answer.status_code == 401:
            return (taken_at - logged_out) * 1000
        answer.raise_for_status()
        taken_at = asked_at  # it was still taken when this request was sent
        if taken_at - logged_out > _GIVE_UP_SECONDS:
            raise RuntimeError("the other server does not hear of revocations")


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory:
        yield f"sqlite+aiosqlite:///{directory}/shared.db"
