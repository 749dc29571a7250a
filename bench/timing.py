"""Does the time of a refused login tell why? Unknown user, wrong password, disabled user, interleaved at random."""

import random
import sqlite3
import time
from contextlib import closing
from statistics import median, quantiles
from typing import Any

from bench.server import log_in, serving, sign_up

KNOWN, DISABLED = "known@example.com", "disabled@example.com"


async def measure_timing(tries: int) -> list[dict[str, Any]]:
    """Medians and percentiles in milliseconds, and the ratio of each median to the wrong password's.

    Args:
        tries: Of each kind.
    """
    async with serving() as (client, database):
        await sign_up(client, KNOWN)
        await sign_up(client, DISABLED)
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE watchword_user SET is_active = 0 WHERE email = ?", (DISABLED,))
        seconds: dict[str, list[float]] = {"wrong password": [], "unknown user": [], "disabled user": []}
        schedule = [kind for kind in seconds for _ in range(tries)]
        random.shuffle(schedule)
        for number, kind in enumerate(schedule):
            email = {"wrong password": KNOWN, "disabled user": DISABLED}.get(kind, f"nobody{number:06}@example.com")
            started = time.perf_counter()
            answer = await log_in(client, email, f"a wrong password {number}")
            seconds[kind].append(time.perf_counter() - started)
            assert answer.status_code == 400
        base = median(seconds["wrong password"])
        return [
            {
                "refused for": kind,
                "tries": len(values),
                "p10 ms": quantiles(values, n=10)[0] * 1000,
                "median ms": median(values) * 1000,
                "p90 ms": quantiles(values, n=10)[-1] * 1000,
                "x wrong password": round(median(values) / base, 4),
            }
            for kind, values in seconds.items()
        ]
