"""Does the time of a refused login tell what was wrong? The kinds of failure, interleaved at random.

Measured twice: with Argon2id hashes alone, and beside a bcrypt hash of cost 10, which is dearer. Then every failure
should take as long as bcrypt does.
"""

import random
import time
from collections.abc import Mapping
from statistics import median, quantiles
from typing import Any, Final

import bcrypt
from rich.console import Console
from rich.progress import track

from bench.server import PASSWORD, Server, serving

KNOWN: Final = "known@example.com"
DISABLED: Final = "disabled@example.com"
IMPORTED: Final = "imported@example.com"
_BCRYPT_ROUNDS: Final = 10
_WARM_UP: Final = 20
_LONGEST_SECONDS: Final = 900
_BASE: Final = "wrong password"


async def measure_timing(tries: int) -> list[dict[str, Any]]:
    """Milliseconds until the refusal, and the ratio of each median to the wrong password's.

    Args:
        tries: Of each kind. Fewer are made where a quarter of an hour does not suffice.
    """
    return [
        *await _measure("Argon2id", tries, {_BASE: KNOWN, "disabled user": DISABLED, "unknown user": None}),
        *await _measure(
            f"and bcrypt {_BCRYPT_ROUNDS}",
            tries,
            {_BASE: KNOWN, "same, bcrypt hash": IMPORTED, "disabled user": DISABLED, "unknown user": None},
        ),
    ]


async def _measure(stored: str, tries: int, kinds: Mapping[str, str | None]) -> list[dict[str, Any]]:
    async with serving() as server:
        for email in filter(None, kinds.values()):
            await server.sign_up(email)
        server.change(DISABLED, is_active=False)
        if IMPORTED in kinds.values():
            encoded = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
            server.change(IMPORTED, password_hash=encoded, password_scheme=f"$2b${_BCRYPT_ROUNDS:02}")
        for _ in range(_WARM_UP):  # threads start, and what is stored is read
            await _refusal_seconds(server, None)
        seconds = await _collect(server, tries, kinds, title=f"Stored: {stored}")
    base = median(seconds[_BASE])
    return [_row(stored, kind, values, base) for kind, values in seconds.items()]


async def _collect(
    server: Server, tries: int, kinds: Mapping[str, str | None], *, title: str
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    schedule = [kind for kind in kinds for _ in range(tries)]
    random.shuffle(schedule)
    deadline = time.monotonic() + _LONGEST_SECONDS
    for kind in track(schedule, title, console=Console(stderr=True), transient=True):
        seconds[kind].append(await _refusal_seconds(server, kinds[kind]))
        if time.monotonic() > deadline:
            break
    return seconds


async def _refusal_seconds(server: Server, email: str | None) -> float:
    """One refused login, of a user who never was if no email is given."""
    nonce = random.randrange(10**6)  # noqa: S311 — it only has to differ
    started = time.perf_counter()
    answer = await server.log_in(email or f"nobody{nonce:06}@example.com", f"a wrong password {nonce:06}")
    spent = time.perf_counter() - started
    if answer.status_code != 400:
        raise RuntimeError(f"a refusal was expected, not {answer.status_code}")
    return spent


def _row(stored: str, kind: str, seconds: list[float], base: float) -> dict[str, Any]:
    deciles = quantiles(seconds, n=10)
    return {
        "stored hashes": stored,
        "refused for": kind,
        "tries": len(seconds),
        "p10 ms": deciles[0] * 1000,
        "median ms": median(seconds) * 1000,
        "p90 ms": deciles[-1] * 1000,
        "x wrong password": median(seconds) / base,
    }
