"""Logins: how much of what the password hash alone could do on the core is left, once a login is all that it is."""

import asyncio
import sys
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import Progress

from bench.beside import Comparison, Pace
from bench.guard import FASTAPI_USERS, TUTORIAL_SYNC
from bench.load import again, load, request
from bench.server import EMAIL, OURS, PASSWORD, App, pin, serving

_CLIENTS: Final = 16
_LOG_IN: Final = urlencode({"grant_type": "password", "username": EMAIL, "password": PASSWORD})
_COSTS: Final = {"owasp": (19456, 2, 1), "rfc9106": (65536, 3, 4)}
_HASH: Final = """
import sys, time
from argon2 import PasswordHasher
memory, passes, lanes = map(int, sys.argv[2:5])
hasher = PasswordHasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
encoded, until, done = hasher.hash("x"), time.perf_counter() + float(sys.argv[1]), 0
started = time.perf_counter()
while time.perf_counter() < until:
    done += hasher.verify(encoded, "x")
print(done / (time.perf_counter() - started))
"""


async def measure_login(pace: Pace) -> list[dict[str, Any]]:
    """Logins a second of 16 clients that do not pause, and their ratio to the same hash alone on the same core."""
    cases: tuple[tuple[str, App, str, dict[str, str]], ...] = (
        ("Watchword, OWASP's cost (default)", OURS, "owasp", {}),
        ("Watchword, RFC 9106's cost", OURS, "rfc9106", {"WATCHWORD_PASSWORD_COST": "rfc9106"}),
        ("tutorial, sync SQLAlchemy", TUTORIAL_SYNC, "rfc9106", {}),
        ("fastapi-users, JWT", FASTAPI_USERS, "rfc9106", {}),
    )
    rows = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("login", total=len(cases))
        for label, app, cost, settings in cases:
            progress.update(task, description=label)
            async with serving(app, settings) as server:
                await server.sign_up()
                log_in = [again(request("POST", app.login, form=_LOG_IN))] * _CLIENTS
                comparison = Comparison()
                for _repeat in range(pace.repeats):
                    alone = await _hashes_alone(cost, pace.seconds * 2)
                    answers = await load(server.port, log_in, seconds=pace.seconds * 2)
                    comparison.rates.append(answers.statuses[200] / answers.seconds)
                    comparison.ratios.append(comparison.rates[-1] / alone)
            rows.append(
                {
                    "app": label,
                    "hash": cost,
                    "logins/s": median(comparison.rates),
                    "x hash alone": median(comparison.ratios),
                    "spread": comparison.spread,
                }
            )
            progress.advance(task)
    return rows


async def _hashes_alone(cost: str, seconds: float) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _HASH, str(seconds), *map(str, _COSTS[cost]), stdout=asyncio.subprocess.PIPE
    )
    pin(process.pid)
    output, _ = await process.communicate()
    return float(output)
