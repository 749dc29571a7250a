"""How long from the command to the first answer, beside the bare app."""

import tempfile
import time
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from bench.guard import AUTHX, FASTAPI_USERS, TUTORIAL_ASYNC
from bench.server import BARE, OURS, App, serving

_PRODUCTION: Final = {
    "WATCHWORD_ENVIRONMENT": "production",
    "WATCHWORD_ISSUER": "https://auth.example.com",
    "WATCHWORD_DOCS_IN_PRODUCTION": "true",
}


async def measure_start(repeats: int) -> list[dict[str, Any]]:
    """Milliseconds until the first answer, in turns with the bare app; the database is there already.

    Args:
        repeats: How often each.
    """
    cases: tuple[tuple[str, App, dict[str, str]], ...] = (
        ("Watchword, production", OURS, _PRODUCTION),
        ("Watchword, development (looks for migrations to run)", OURS, {}),
        ("AuthX (no user row)", AUTHX, {}),
        ("tutorial, async SQLAlchemy", TUTORIAL_ASYNC, {}),
        ("fastapi-users, JWT", FASTAPI_USERS, {}),
    )
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("start", total=len(cases))
        for label, app, settings in cases:
            progress.update(task, description=label)
            with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory:
                secret = {"WATCHWORD_SECRET": "a-secret-of-a-bench-of-thirty-two-bytes-or-more"}
                await _once(app, secret, directory)  # makes the database, and the compiled files of the packages
                await _once(BARE, {}, directory)
                bare, ours = [], []
                for _repeat in range(repeats):
                    bare.append(await _once(BARE, {}, directory))
                    ours.append(await _once(app, secret | settings, directory))
            ratios = [mine / base for mine, base in zip(ours, bare, strict=True)]
            rows.append(
                {
                    "app": label,
                    "first answer ms": median(ours),
                    "bare ms": median(bare),
                    "x bare": median(ratios),
                    "spread": (max(ratios) - min(ratios)) / median(ratios),
                }
            )
            progress.advance(task)
    return rows


async def _once(app: App, settings: dict[str, str], directory: str) -> float:
    started = time.perf_counter()
    async with serving(app, settings, directory=directory) as server:
        await server.client.get("/orders")  # whatever it says: a guard answers 401
        return (time.perf_counter() - started) * 1000
