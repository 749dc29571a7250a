"""Does a flood of logins hold up requests? A guarded GET at a steady rate, idle, and while clients log in."""

import asyncio
import time
from collections import Counter
from statistics import median, quantiles
from typing import Any, Final

import httpx2
from rich.console import Console

from bench.server import Server, serving

_RATE: Final = 50  # requests a second
_CLIENTS: Final = 16
_SETTLE_SECONDS: Final = 2
_EMAIL: Final = "known@example.com"


async def measure_isolation(seconds: int) -> list[dict[str, Any]]:
    """Milliseconds until the GET was answered, and what the flood got meanwhile.

    Args:
        seconds: Of each phase.
    """
    console = Console(stderr=True)
    async with serving() as server:
        await server.sign_up(_EMAIL)
        token = (await server.log_in(_EMAIL)).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        await _probe(server.client, headers, _SETTLE_SECONDS)
        with console.status(f"idle, {seconds} s"):
            idle = await _probe(server.client, headers, seconds)
        with console.status(f"{_CLIENTS} clients log in, {seconds} s"):
            flooded, logins = await _probe_in_flood(server, headers, seconds)
    first = _row("idle", idle, Counter(), seconds)
    second = _row(f"{_CLIENTS} clients log in", flooded, logins, seconds)
    for row in (first, second):
        row["x idle p50"] = row["p50 ms"] / first["p50 ms"]
        row["x idle p99"] = row["p99 ms"] / first["p99 ms"]
    return [first, second]


Answers = list[tuple[int, float]]
"""Status and seconds."""


async def _probe(client: httpx2.AsyncClient, headers: dict[str, str], seconds: int) -> Answers:
    """Send the GET at a steady rate, whatever becomes of the ones before: a slow answer hides no other."""

    async def once() -> tuple[int, float]:
        started = time.perf_counter()
        answer = await client.get("/orders", headers=headers)
        return answer.status_code, time.perf_counter() - started

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number in range(_RATE * seconds):
            await asyncio.sleep(max(0.0, started + number / _RATE - time.perf_counter()))
            tasks.append(group.create_task(once()))
    return [task.result() for task in tasks]


async def _probe_in_flood(server: Server, headers: dict[str, str], seconds: int) -> tuple[Answers, Counter[int]]:
    logins: Counter[int] = Counter()
    over = asyncio.Event()

    async def log_in_without_pause() -> None:
        while not over.is_set():
            logins[(await server.log_in(_EMAIL)).status_code] += 1

    async with asyncio.TaskGroup() as flood:
        for _ in range(_CLIENTS):
            flood.create_task(log_in_without_pause())
        await asyncio.sleep(_SETTLE_SECONDS)
        logins.clear()
        answers = await _probe(server.client, headers, seconds)
        counted = Counter(logins)
        over.set()
    return answers, counted


def _row(load: str, answers: Answers, logins: Counter[int], seconds: int) -> dict[str, Any]:
    milliseconds = [spent * 1000 for _status, spent in answers]
    statuses = Counter(status for status, _spent in answers)
    if unexpected := (statuses + logins).keys() - {200, 503}:
        raise RuntimeError(f"unexpected answers: {sorted(unexpected)}")
    return {
        "load": load,
        "requests": len(answers),
        "p50 ms": median(milliseconds),
        "p99 ms": quantiles(milliseconds, n=100)[-1],
        "max ms": max(milliseconds),
        "503": statuses[503],
        "logins/s": logins[200] / seconds,
        "logins 503": logins[503],
    }
