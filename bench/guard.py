"""The guard: a protected GET beside a bare endpoint and beside what a user would pick instead, as ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from bench.load import Request, load
from bench.peer import Peer, running

_CONNECTIONS: Final = 16
_WARM_UP_SECONDS: Final = 1.0
_MOST_SPREAD: Final = 0.15
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint of one app."""

    label: str
    peer: Peer
    path: str


BARE: Final = Row("bare endpoint", Peer("bare", login=""), "/orders")
ROWS: Final = (
    Row("bare endpoint behind a dependency that does nothing", Peer("bare", login=""), "/orders-behind-nothing"),
    Row("Watchword, CurrentUser", Peer("ours", is_ours=True), "/orders"),
    Row("Watchword, requires(…) on a router", Peer("ours", is_ours=True), "/orders-behind-router"),
    Row("AuthX (no user row)", Peer("authx_app"), "/orders"),
    Row("tutorial, async SQLAlchemy", Peer("tutorial_async"), "/orders"),
    Row("tutorial, sync SQLAlchemy", Peer("tutorial_sync"), "/orders"),
    Row("fastapi-users, JWT", Peer("fastapi_users_app", login="/auth/token/login"), "/orders"),
)


async def measure_guard(*, repeats: int, seconds: float) -> list[dict[str, Any]]:
    """Requests a second, each interleaved with the bare endpoint, so that a slower minute slows both.

    Args:
        repeats: How often each is measured; the median counts.
        seconds: Of each measurement.
    """
    rows: list[dict[str, Any]] = [{"app": BARE.label, "requests/s": 0.0, "x bare": 1.0, "spread": 0.0}]
    bare_rates: list[float] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("guard", total=len(ROWS))
        async with running(BARE.peer) as bare:
            for row in ROWS:
                progress.update(task, description=row.label)
                rates, ratios = await _beside(bare.port, row, repeats=repeats, seconds=seconds)
                bare_rates += [rate / ratio for rate, ratio in zip(rates, ratios, strict=True)]
                rows.append(
                    {
                        "app": row.label,
                        "requests/s": median(rates),
                        "x bare": median(ratios),
                        "spread": _spread(ratios),
                    }
                )
                progress.advance(task)
    rows[0]["requests/s"] = median(bare_rates)
    return rows


async def _beside(bare_port: int, row: Row, *, repeats: int, seconds: float) -> tuple[list[float], list[float]]:
    async with running(row.peer) as server:
        headers = await server.log_in()
        # The bare endpoint gets the same bytes: a header costs the server something, whoever reads it.
        request, bare_request = Request("GET", row.path, headers), Request("GET", BARE.path, headers)
        for _try in range(_TRIES):
            rates, ratios = [], []
            for _repeat in range(repeats):
                bare_rate = await _rate(bare_port, bare_request, seconds)
                rates.append(await _rate(server.port, request, seconds))
                ratios.append(rates[-1] / bare_rate)
            if _spread(ratios) <= _MOST_SPREAD:
                break
        return rates, ratios


async def _rate(port: int, request: Request, seconds: float) -> float:
    await load(port, request, connections=_CONNECTIONS, seconds=min(_WARM_UP_SECONDS, seconds / 2))
    answers = await load(port, request, connections=_CONNECTIONS, seconds=seconds)
    if set(answers.statuses) != {200}:
        raise RuntimeError(f"unexpected answers: {answers.statuses}")
    return answers.per_second


def _spread(ratios: Sequence[float]) -> float:
    return (max(ratios) - min(ratios)) / median(ratios)
