"""The guard: a protected GET beside a bare endpoint and beside what a user would pick instead, as ratios."""

from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from bench.beside import Pace, Target, beside
from bench.load import again, request
from bench.server import BARE, OURS, App, Server, serving

_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint of one app, and what of the bare app's is the same behind a dependency that does nothing."""

    label: str
    app: App
    path: str = "/orders"
    behind_nothing: str | None = None


AUTHX: Final = App("authx_app")
TUTORIAL_ASYNC: Final = App("tutorial_async")
TUTORIAL_SYNC: Final = App("tutorial_sync")
FASTAPI_USERS: Final = App("fastapi_users_app", login="/auth/token/login")
ROWS: Final = (
    Row("bare endpoint behind a dependency that does nothing", BARE, "/orders-behind-nothing"),
    Row("Watchword, CurrentUser", OURS, behind_nothing="/orders-behind-nothing"),
    Row("Watchword, requires(…) on a route", OURS, "/orders-behind-scope", "/orders-behind-nothing"),
    Row("bare endpoint on a router", BARE, "/orders-on-router"),
    Row("bare endpoint on a router, behind nothing", BARE, "/orders-on-router-behind-nothing"),
    Row("Watchword, requires(…) on a router", OURS, "/orders-on-router", "/orders-on-router-behind-nothing"),
    Row("AuthX (no user row)", AUTHX),
    Row("tutorial, async SQLAlchemy", TUTORIAL_ASYNC),
    Row("tutorial, sync SQLAlchemy", TUTORIAL_SYNC),
    Row("fastapi-users, JWT", FASTAPI_USERS),
)


async def measure_guard(pace: Pace) -> list[dict[str, Any]]:
    """Requests a second over 16 connections, and their ratio to the bare endpoint's."""
    rows: list[dict[str, Any]] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("guard", total=len(ROWS))
        async with serving(BARE) as bare:
            for row in ROWS:
                progress.update(task, description=row.label)
                async with serving(row.app) as server:
                    await server.sign_up()
                    rows.append(await _measure(row, bare, server, pace))
                progress.advance(task)
    return rows


async def _measure(row: Row, bare: Server, server: Server, pace: Pace) -> dict[str, Any]:
    # The bare endpoint gets the same bytes: a header costs the server something, whoever reads it.
    headers = await server.bearer()

    def target(of: Server, path: str) -> Target:
        return Target(of.port, [again(request("GET", path, headers))] * _CONNECTIONS)

    measured = (await beside(target(bare, "/orders"), target(server, row.path), pace)).row(row.label)
    if row.behind_nothing is not None:
        comparison = await beside(target(bare, row.behind_nothing), target(server, row.path), pace)
        measured["x the same behind nothing"] = median(comparison.ratios)
        measured["spread"] = max(measured["spread"], comparison.spread)
    return measured
