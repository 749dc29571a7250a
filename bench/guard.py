"""The guard: a protected GET beside a bare endpoint and beside what a user would pick instead, as ratios."""

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from bench.beside import Pace, Target, beside
from bench.load import again, request
from bench.server import BARE, OURS, App, serving

_CONNECTIONS: Final = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint of one app."""

    label: str
    app: App
    path: str = "/orders"


AUTHX: Final = App("authx_app")
TUTORIAL_ASYNC: Final = App("tutorial_async")
TUTORIAL_SYNC: Final = App("tutorial_sync")
FASTAPI_USERS: Final = App("fastapi_users_app", login="/auth/token/login")
ROWS: Final = (
    Row("bare endpoint behind a dependency that does nothing", BARE, "/orders-behind-nothing"),
    Row("Watchword, CurrentUser", OURS),
    Row("Watchword, requires(…) on a route", OURS, "/orders-behind-scope"),
    Row("bare endpoint on a router", BARE, "/orders-on-router"),
    Row("bare endpoint on a router, behind nothing", BARE, "/orders-on-router-behind-nothing"),
    Row("Watchword, requires(…) on a router", OURS, "/orders-on-router"),
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
                    headers = await server.bearer()
                    # The bare endpoint gets the same bytes: a header costs the server something, whoever reads it.
                    sent, to_bare = request("GET", row.path, headers), request("GET", "/orders", headers)
                    comparison = await beside(
                        Target(bare.port, [again(to_bare)] * _CONNECTIONS),
                        Target(server.port, [again(sent)] * _CONNECTIONS),
                        pace,
                    )
                rows.append(comparison.row(row.label))
                progress.advance(task)
    return rows
