"""Tokens for services: the client credentials grant beside a bare endpoint."""

import base64
import secrets
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI
from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress

from bench.beside import Pace, Target, beside
from bench.load import again, request
from bench.server import BARE, OURS, Server, serving
from watchword import Profile, Settings, Watchword

_CONNECTIONS: Final = 16
_PATH: Final = "/auth/token"
_GRANT: Final = {"grant_type": "client_credentials"}


async def measure_service(pace: Pace) -> list[dict[str, Any]]:
    """Tokens a second over 16 connections, signed with ES256, and their ratio to the bare endpoint's answers."""
    rows: list[dict[str, Any]] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("service", total=2)
        secret = secrets.token_urlsafe(32)
        async with serving(BARE) as bare, serving(OURS, {"WATCHWORD_SECRET": secret}) as server:
            for method in ("client_secret_basic", "client_secret_post"):
                label = f"Watchword, {method}"
                progress.update(task, description=label)
                sent = _asking(method, *await _register(server, method, secret))
                comparison = await beside(
                    Target(bare.port, [again(request("GET", "/orders"))] * _CONNECTIONS),
                    Target(server.port, [again(sent)] * _CONNECTIONS),
                    pace,
                )
                rows.append(comparison.row(label))
                progress.advance(task)
    return rows


def _asking(method: str, client_id: str, secret: str) -> bytes:
    """The request of a client for a token."""
    if method == "client_secret_basic":
        headers = {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}
        return request("POST", _PATH, headers, form=urlencode(_GRANT))
    return request("POST", _PATH, form=urlencode({**_GRANT, "client_id": client_id, "client_secret": secret}))


async def _register(server: Server, method: str, secret: str) -> tuple[str, str]:
    settings = Settings(database_url=SecretStr(f"sqlite:///{server.directory}/bench.db"), secret=(SecretStr(secret),))
    auth: Watchword[Profile] = Watchword(settings)
    async with auth.lifespan(FastAPI()):
        client, made = await auth.clients.create(
            "A service", grants=["client_credentials"], scopes=["orders:read"], auth_method=method
        )
    assert made is not None
    return client.id, made.value
