"""Does the time of an answer tell whether there is an account? Each kind of address, interleaved at random.

The token endpoint is measured twice: with Argon2id hashes alone, and beside a bcrypt hash of cost 10, which is dearer;
then every failure should take as long as bcrypt does. Limits are off, and no account is asked so often that it is
locked, but for the one that is meant to be.
"""

import random
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from math import erfc, sqrt
from statistics import median, quantiles
from typing import Any, Final

import bcrypt
import httpx2
from rich.console import Console
from rich.progress import track

from bench.server import PASSWORD, Server, serving

_BCRYPT_ROUNDS: Final = 10
_WARM_UP: Final = 20
_LONGEST_SECONDS: Final = 900
_FREE_FAILURES: Final = 9
_MOST_ACCOUNTS: Final = 500
_LOCKING: Final = 12

_BY_MAIL: Final = {"WATCHWORD_EMAIL_VERIFICATION": "required"}

Ask = Callable[[Server, str], Awaitable[httpx2.Response]]


@dataclass(frozen=True, slots=True)
class Path:
    """What is asked about an address.

    Attributes:
        name: In the table.
        ask: One request.
        answers: The statuses it may have.
        kinds: What is compared, the first with each other one; of `_KINDS`.
        stored: Which hashes there are.
        settings: Environment variables of the server that is asked.
    """

    name: str
    ask: Ask
    answers: frozenset[int]
    kinds: tuple[str, ...]
    stored: str = "Argon2id"
    settings: Mapping[str, str] = field(default_factory=dict)


def _nonce() -> int:
    return random.randrange(10**9)  # noqa: S311 — it only has to differ


async def _log_in(server: Server, email: str) -> httpx2.Response:
    return await server.log_in(email, f"a wrong password {_nonce()}")


async def _sign_up(server: Server, email: str) -> httpx2.Response:
    return await server.client.post("/auth/users", json={"email": email, "password": f"a watchword {_nonce()}"})


async def _forget(server: Server, email: str) -> httpx2.Response:
    return await server.client.post("/auth/password/forgot", json={"email": email})


_PATHS: Final = (
    Path("token", _log_in, frozenset({400}), ("known", "unknown", "disabled", "locked")),
    Path("token", _log_in, frozenset({400}), ("known", "unknown", "disabled", "bcrypt"), "and bcrypt 10"),
    Path("sign-up", _sign_up, frozenset({201, 409}), ("known", "unknown")),
    Path("sign-up by mail", _sign_up, frozenset({202}), ("known", "unknown", "disabled"), settings=_BY_MAIL),
    Path("forgot", _forget, frozenset({202}), ("known", "unknown", "disabled")),
)


async def measure_enumeration(tries: int) -> list[dict[str, Any]]:
    """Milliseconds until the answer, and how likely a difference as large would be if there were none.

    Args:
        tries: Of each kind. Fewer are made where a quarter of an hour does not suffice.
    """
    return [row for path in _PATHS for row in await _measure(path, tries)]


async def _measure(path: Path, tries: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as directory:
        same = {"WATCHWORD_SECRET": secrets.token_urlsafe(32)}
        async with serving(settings=same, directory=directory) as server:
            addresses = {kind: await _KINDS[kind](server, tries) for kind in path.kinds}
        return await _ask(replace(path, settings={**path.settings, **same}), tries, addresses, directory)


async def _ask(path: Path, tries: int, addresses: Mapping[str, Sequence[str]], directory: str) -> list[dict[str, Any]]:
    async with serving(settings=path.settings, directory=directory) as server:
        for _ in range(_WARM_UP):  # threads start, and what is stored is read
            await _seconds(server, path, f"warm-up-{_nonce()}@example.com")
        seconds = await _collect(server, path, tries, addresses)
    base = seconds[path.kinds[0]]
    return [
        {
            "path": path.name,
            "stored hashes": path.stored,
            "address": kind,
            "tries": len(values),
            "median ms": median(values) * 1000,
            "p95 ms": quantiles(values, n=20)[-1] * 1000,
            f"x {path.kinds[0]}": median(values) / median(base),
            "p (Mann-Whitney)": None if values is base else mann_whitney(base, values),
        }
        for kind, values in seconds.items()
    ]


async def _collect(
    server: Server, path: Path, tries: int, addresses: Mapping[str, Sequence[str]]
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {kind: [] for kind in addresses}
    following = {kind: cycle(emails) for kind, emails in addresses.items()}
    schedule = [kind for kind in addresses for _ in range(tries)]
    random.shuffle(schedule)
    deadline = time.monotonic() + _LONGEST_SECONDS
    title = f"{path.name}, stored: {path.stored}"
    for kind in track(schedule, title, console=Console(stderr=True), transient=True):
        seconds[kind].append(await _seconds(server, path, next(following[kind])))
        if time.monotonic() > deadline:
            break
    return seconds


async def _seconds(server: Server, path: Path, email: str) -> float:
    started = time.perf_counter()
    answer = await path.ask(server, email)
    spent = time.perf_counter() - started
    if answer.status_code not in path.answers:
        raise RuntimeError(f"{path.name} was answered {answer.status_code}")
    return spent


async def _accounts(server: Server, kind: str, tries: int) -> list[str]:
    """So many that none is locked by being asked about in turn."""
    number = min(tries // _FREE_FAILURES + 1, _MOST_ACCOUNTS)
    emails = [f"{kind}-{n:05}-{_nonce()}@example.com" for n in range(number)]
    for email in emails:
        await server.sign_up(email)
    return emails


async def _known(server: Server, tries: int) -> list[str]:
    return await _accounts(server, "known", tries)


async def _unknown(_server: Server, tries: int) -> list[str]:
    return [f"unknown-{n:05}-{_nonce()}@example.com" for n in range(tries)]


async def _disabled(server: Server, tries: int) -> list[str]:
    emails = await _accounts(server, "disabled", tries)
    for email in emails:
        server.change(email, is_active=False)
    return emails


async def _locked(server: Server, _tries: int) -> list[str]:
    (email,) = await _accounts(server, "locked", 0)
    for _ in range(_LOCKING):
        await _log_in(server, email)
    return [email]


async def _imported(server: Server, tries: int) -> list[str]:
    encoded = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
    emails = await _accounts(server, "bcrypt", tries)
    for email in emails:
        server.change(email, password_hash=encoded, password_scheme=f"$2b${_BCRYPT_ROUNDS:02}")
    return emails


_KINDS: Final[Mapping[str, Callable[[Server, int], Awaitable[list[str]]]]] = {
    "known": _known,
    "unknown": _unknown,
    "disabled": _disabled,
    "locked": _locked,
    "bcrypt": _imported,
}


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p-value of the Mann-Whitney U test, by its normal approximation, which holds from 20 of each on.

    Times are so fine that hardly two are the same: ties are not corrected for.
    """
    ranked = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks = sum(rank for rank, (_, is_one) in enumerate(ranked, 1) if is_one)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / sqrt(n * m * (n + m + 1) / 12)
    return erfc(abs(z) / sqrt(2))
