"""Does a flood of logins hold up requests? A guarded GET, idle, and while clients log in without pause."""

import asyncio
import time
from collections import Counter
from statistics import median, quantiles
from typing import Any

import httpx2

from bench.server import log_in, serving, sign_up

RATE = 50
CLIENTS = 16
EMAIL = "known@example.com"


async def measure_isolation(seconds: int) -> list[dict[str, Any]]:
    """Latency in milliseconds of the guarded GET, and what the flood got meanwhile.

    Args:
        seconds: Of each phase.
    """
    async with serving() as (client, _):
        await sign_up(client, EMAIL)
        headers = {"Authorization": f"Bearer {(await log_in(client, EMAIL)).json()['access_token']}"}
        await probe(client, headers, 2)
        idle = row("idle", await probe(client, headers, seconds), Counter(), seconds)
        outcomes: Counter[int] = Counter()
        flood = [asyncio.create_task(log_in_without_pause(client, outcomes)) for _ in range(CLIENTS)]
        await asyncio.sleep(1)
        outcomes.clear()
        flooded = row(f"{CLIENTS} clients log in", await probe(client, headers, seconds), outcomes, seconds)
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
        return [{**measured, "x idle p99": measured["p99 ms"] / idle["p99 ms"]} for measured in (idle, flooded)]


def row(name: str, latencies: list[float], outcomes: Counter[int], seconds: int) -> dict[str, Any]:
    """One line of the table."""
    return {
        "load": name,
        "requests": len(latencies),
        "p50 ms": median(latencies) * 1000,
        "p99 ms": quantiles(latencies, n=100)[-1] * 1000,
        "max ms": max(latencies) * 1000,
        "logins/s": outcomes[200] / seconds,
        "503": outcomes[503],
    }


async def probe(client: httpx2.AsyncClient, headers: dict[str, str], seconds: int) -> list[float]:
    """Send the GET at a steady rate, whatever becomes of the ones before."""

    async def once() -> float:
        started = time.perf_counter()
        answer = await client.get("/orders", headers=headers)
        answer.raise_for_status()
        return time.perf_counter() - started

    tasks = []
    started = time.perf_counter()
    for number in range(RATE * seconds):
        await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(once()))
    return await asyncio.gather(*tasks)


async def log_in_without_pause(client: httpx2.AsyncClient, outcomes: Counter[int]) -> None:
    """One client of the flood."""
    while True:
        outcomes[(await log_in(client, EMAIL)).status_code] += 1
