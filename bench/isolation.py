"""Does a flood of logins hold up requests? A guarded GET at a steady rate, idle, and while clients log in."""

import asyncio
from collections import Counter
from typing import Any, Final
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import Progress

from bench.guard import AUTHX, FASTAPI_USERS, TUTORIAL_ASYNC, TUTORIAL_SYNC
from bench.load import Answers, again, load, probe, request
from bench.server import EMAIL, OURS, PASSWORD, App, Server, serving

_RATE: Final = 50  # requests a second
_CLIENTS: Final = 16
_SETTLE_SECONDS: Final = 2
_APPS: Final[dict[str, tuple[App, dict[str, str]]]] = {
    "Watchword, OWASP's cost (default)": (OURS, {}),
    "Watchword, RFC 9106's cost, as the peers have it": (OURS, {"WATCHWORD_PASSWORD_COST": "rfc9106"}),
    "AuthX (no user row)": (AUTHX, {}),
    "tutorial, async SQLAlchemy": (TUTORIAL_ASYNC, {}),
    "tutorial, sync SQLAlchemy": (TUTORIAL_SYNC, {}),
    "fastapi-users, JWT": (FASTAPI_USERS, {}),
}


async def measure_isolation(seconds: int) -> list[dict[str, Any]]:
    """Milliseconds until the GET was answered, idle and in the flood, and what the flood got meanwhile.

    Args:
        seconds: Of each phase.
    """
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("isolation", total=len(_APPS))
        for label, (app, settings) in _APPS.items():
            progress.update(task, description=label)
            rows.append(await _measure(label, app, settings, seconds))
            progress.advance(task)
    return rows


async def _measure(label: str, app: App, settings: dict[str, str], seconds: int) -> dict[str, Any]:
    async with serving(app, settings) as server:
        await server.sign_up()
        sent = request("GET", "/orders", await server.bearer())
        await probe(server.port, sent, rate=_RATE, seconds=_SETTLE_SECONDS)
        idle = await probe(server.port, sent, rate=_RATE, seconds=seconds)
        flooded, logins = await _in_flood(server, sent, seconds)
    statuses = Counter(idle.statuses) + Counter(flooded.statuses)
    return {
        "app": label,
        "idle p50 ms": idle.milliseconds(50),
        "idle p99 ms": idle.milliseconds(99),
        "flood p50 ms": flooded.milliseconds(50),
        "flood p99 ms": flooded.milliseconds(99),
        "x idle p99": flooded.milliseconds(99) / idle.milliseconds(99),
        "not 200": statuses.total() - statuses[200],
        "logins/s": logins.statuses[200] / logins.seconds,
        "logins not 200": logins.statuses.total() - logins.statuses[200],
    }


async def _in_flood(server: Server, sent: bytes, seconds: int) -> tuple[Answers, Answers]:
    form = urlencode({"grant_type": "password", "username": EMAIL, "password": PASSWORD})
    log_in = request("POST", server.app.login, form=form)
    over = asyncio.Event()
    flood = asyncio.create_task(load(server.port, [again(log_in)] * _CLIENTS, seconds=3600, over=over))
    await asyncio.sleep(_SETTLE_SECONDS)
    answers = await probe(server.port, sent, rate=_RATE, seconds=seconds)
    over.set()
    return answers, await flood
