"""Refreshes: durable on SQLite beside a bare endpoint, on PostgreSQL beside one raw statement."""

import json
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import Progress

from bench.beside import Comparison, Pace, Target, beside
from bench.load import Conversation, again, request
from bench.postgresql import postgresql
from bench.server import BARE, OURS, App, Server, serving

_CONNECTIONS: Final = 8
_NORMAL: Final = App("ours_normal", is_ours=True)
_RAW: Final = App("raw_update", is_ours=True, login="")
_TOOLKIT: Final = App("oauth_toolkit", login="/o/token/", client_id="app", is_wsgi=True)


def refreshing(path: str, token: str, **fields: str) -> Conversation:
    """Trade a refresh token for the next, and that for the next."""

    def following(answer: bytes | None) -> bytes:
        nonlocal token
        if answer is not None:
            token = json.loads(answer)["refresh_token"]
        return request("POST", path, form=urlencode({"grant_type": "refresh_token", "refresh_token": token, **fields}))

    return following


async def measure_refresh(pace: Pace) -> list[dict[str, Any]]:
    """Refreshes a second over 8 connections, each with a session of its own, and their ratio to what stands beside."""
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("refresh", total=4)
        async with serving(BARE) as bare:
            for label, app in (
                ("Watchword, SQLite, durable (synchronous=FULL, the default)", OURS),
                (
                    "Watchword, SQLite, synchronous=NORMAL (not offered: a power cut could bring a used token back)",
                    _NORMAL,
                ),
                ("django-oauth-toolkit, SQLite", _TOOLKIT),
            ):
                progress.update(task, description=label)
                comparison = await _against(Target(bare.port, [again(request("GET", "/orders"))] * 8), app, {}, pace)
                rows.append(comparison.row(label))
                progress.advance(task)
        progress.update(task, description="Watchword, PostgreSQL")
        with postgresql() as url:
            settings = {"WATCHWORD_DATABASE_URL": url, "WATCHWORD_SECRET": secrets.token_urlsafe(32)}
            async with serving(_RAW, settings) as raw:
                update = Target(raw.port, [again(request("POST", f"/rows/{n}")) for n in range(_CONNECTIONS)])
                comparison = await _against(update, OURS, settings, pace)
        rows.append(comparison.row("Watchword, PostgreSQL", base="raw asyncpg UPDATE"))
        progress.advance(task)
    return rows


async def _against(base: Target, app: App, settings: dict[str, str], pace: Pace) -> Comparison:
    async with serving(app, settings) as server:
        await server.sign_up()
        return await beside(base, Target(server.port, await _chains(server)), pace)


async def _chains(server: Server) -> list[Conversation]:
    chains = []
    for _ in range(_CONNECTIONS):
        answer = (await server.log_in()).raise_for_status().json()
        chains.append(refreshing(server.app.login, answer["refresh_token"], **server.app.form))
    return chains
