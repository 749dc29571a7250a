"""What a worker holds in memory: after its first answer, and with tokens remembered."""

import asyncio
import json
from typing import Any, Final
from urllib.parse import urlencode

import psutil
from rich.console import Console
from rich.progress import Progress

from bench.guard import AUTHX, FASTAPI_USERS, TUTORIAL_ASYNC
from bench.load import load, request
from bench.server import BARE, OURS, App, Server, serving

_TOKENS: Final = 10_000
_MEBIBYTE: Final = 1 << 20


async def measure_memory() -> list[dict[str, Any]]:
    """Resident MiB of one worker, and what each remembered token adds, in KiB."""
    cases: dict[str, App] = {
        "bare endpoint": BARE,
        "Watchword": OURS,
        "AuthX (no user row)": AUTHX,
        "tutorial, async SQLAlchemy": TUTORIAL_ASYNC,
        "fastapi-users, JWT": FASTAPI_USERS,
    }
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("memory", total=len(cases))
        for label, app in cases.items():
            progress.update(task, description=label)
            async with serving(app) as server:
                await server.sign_up()
                await server.client.get("/orders", headers=await server.bearer())
                first = _resident(server)
                row: dict[str, Any] = {"app": label, "after a login MiB": first}
                if app is OURS:
                    await _remember(server, _TOKENS)
                    row[f"with {_TOKENS:,} tokens remembered MiB"] = _resident(server)
                    row["KiB a token"] = (_resident(server) - first) * 1024 / _TOKENS
                rows.append(row)
            progress.advance(task)
    return rows


def _resident(server: Server) -> float:
    return float(psutil.Process(server.pid).memory_info().rss) / _MEBIBYTE


async def _remember(server: Server, tokens: int) -> None:
    """One login, refreshed again and again, each of its access tokens used once."""
    refresh_token: str = (await server.log_in()).raise_for_status().json()["refresh_token"]
    remaining = tokens
    over = asyncio.Event()

    def following(body: bytes | None) -> bytes:
        nonlocal refresh_token, remaining
        answer = json.loads(body) if body is not None else {}
        if "access_token" not in answer:
            form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token})
            return request("POST", server.app.login, form=form)
        refresh_token = answer["refresh_token"]
        remaining -= 1
        if remaining == 0:
            over.set()
        return request("GET", "/orders", {"Authorization": f"Bearer {answer['access_token']}"})

    await load(server.port, [following], seconds=600, over=over)
