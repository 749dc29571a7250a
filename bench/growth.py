"""Growth: the same work with ten thousand to a million users and sessions on PostgreSQL."""

import hashlib
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
from rich.console import Console

from bench.beside import Pace, Target, beside
from bench.load import Conversation, again, load, request
from bench.postgresql import postgresql
from bench.server import BARE, OURS, PASSWORD, Server, serving
from watchword.crypto.passwords import PasswordHasher
from watchword.crypto.refresh_tokens import RefreshToken, RefreshTokenKeys

_CONNECTIONS: Final = 8
_SEQUENTIAL: Final = 100
_USERS: Final = """
INSERT INTO watchword_user
    (id, email, email_canonical, password_hash, password_scheme, is_active, token_epoch, profile, created_at)
SELECT uuidv7(), 'user' || n || '@example.com', 'user' || n || '@example.com', $3, '$argon2id$v=19$m=19456,t=2,p=1',
    true, 0, '{}', now()
FROM generate_series($1::int, $2::int) AS n
"""
_SESSIONS: Final = """
INSERT INTO watchword_session
    (id, handle, user_id, client_id, generation, lost_generations, epoch, scope, amr, auth_time, user_agent, address,
     created_at, rotated_at, idle_expires_at, expires_at)
SELECT uuidv7(), decode(md5(substr(email, 5, strpos(email, '@') - 5)), 'hex'), id, 'first-party', 0, 0, 0,
    'orders:read', 'pwd', now(), 'Mozilla/5.0 (X11; Linux x86_64)', '203.0.113.7', now(), now(),
    now() + interval '30 days', now() + interval '90 days'
FROM watchword_user WHERE substr(email, 5, strpos(email, '@') - 5)::int BETWEEN $1::int AND $2::int
"""
"""One for each user. The handle follows from the user's number, so that the bench can make its refresh token."""


async def measure_growth(sizes: tuple[int, ...], pace: Pace) -> list[dict[str, Any]]:
    """What each size does: requests a second over 8 connections, milliseconds one after the other.

    Args:
        sizes: Users, each with one session; growing.
        pace: How thoroughly.
    """
    secret = secrets.token_urlsafe(32)
    encoded = PasswordHasher("owasp").hash(PASSWORD)
    rows: list[dict[str, Any]] = []
    with postgresql() as url, Console(stderr=True).status("growth") as status:
        settings = {"WATCHWORD_DATABASE_URL": url, "WATCHWORD_SECRET": secret}
        async with serving(OURS, settings):  # makes the tables
            pass
        there = 0
        for size in sizes:
            status.update(f"growth: filling up to {size:,} users")
            await _fill(url, there, size, encoded)
            population = _Population(there, size, RefreshTokenKeys.from_secrets([secret.encode()]))
            there = size
            for workers in (1, 2, 4) if size == sizes[-1] else (1,):
                status.update(f"growth: {size:,} users, {workers} workers")
                is_pinned = workers == 1
                async with (
                    serving(BARE, is_pinned=is_pinned) as bare,
                    serving(OURS, settings, workers=workers, is_pinned=is_pinned) as server,
                ):
                    measured = await _measure(bare, server, population, pace)
                    rows.append({"users": size, "workers": workers, **measured})
    return rows


@dataclass(slots=True)
class _Population:
    """Users, each with a session; what the sessions' last refreshes gave.

    Attributes:
        refreshed_before: How many of them a smaller population has refreshed: their tokens are not known here.
        in_flight: Whose tokens were sent. Where the answer was cut off with the load, the next token is not known.
    """

    refreshed_before: int
    size: int
    keys: RefreshTokenKeys
    refresh_tokens: dict[int, str] = field(default_factory=dict)
    access_tokens: list[str] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)

    def refreshing(self) -> Conversation:
        """Refresh anybody's session, and then another one's."""
        number = 0

        def following(answer: bytes | None) -> bytes:
            nonlocal number
            if answer is not None:
                tokens = json.loads(answer)
                self.refresh_tokens[number] = tokens["refresh_token"]
                self.access_tokens.append(tokens["access_token"])
                self.in_flight.remove(number)
            number = self._any_session()
            self.in_flight.add(number)
            form = urlencode({"grant_type": "refresh_token", "refresh_token": self._refresh_token(number)})
            return request("POST", "/auth/token", form=form)

        return following

    def anybody(self) -> int:
        """The number of a user, whoever."""
        return random.randrange(1, self.size + 1)  # noqa: S311 — whom the bench asks for

    def _any_session(self) -> int:
        while True:
            number = random.randrange(self.refreshed_before + 1, self.size + 1)  # noqa: S311 — as above
            if number not in self.in_flight:
                return number

    def bearer(self) -> dict[str, str]:
        """The headers of a token that was never used."""
        return {"Authorization": f"Bearer {self.access_tokens.pop()}"}

    def _refresh_token(self, number: int) -> str:
        handle = hashlib.md5(str(number).encode(), usedforsecurity=False).digest()
        return self.refresh_tokens.get(number) or self.keys.encode(RefreshToken(handle, 0))


async def _measure(bare: Server, server: Server, population: _Population, pace: Pace) -> dict[str, Any]:
    logins: list[dict[str, str]] = []

    async def log_in() -> None:
        logins.append(await server.bearer(f"user{population.anybody()}@example.com"))

    async def get(path: str) -> None:
        (await server.client.get(path, headers=population.bearer())).raise_for_status()

    async def log_out() -> None:
        (await server.client.post("/auth/logout", headers=logins.pop())).raise_for_status()

    population.access_tokens.clear()
    refreshes = Target(server.port, [population.refreshing() for _ in range(_CONNECTIONS)])
    # From one size to the next minutes go by, and the machine may be another: the bare endpoint tells.
    to_bare = Target(bare.port, [again(request("GET", "/orders"))] * _CONNECTIONS)
    refreshed = await beside(to_bare, refreshes, pace)
    remembered = again(request("GET", "/orders", population.bearer()))
    after = (await server.client.get("/users-page")).json()["last"]
    return {
        "refreshes/s": median(refreshed.rates),
        "x bare": median(refreshed.ratios),
        "spread": refreshed.spread,
        "guard, remembered/s": await Target(server.port, [remembered] * _CONNECTIONS).rate(pace.seconds),
        "guard, first use/s": await _first_uses(server, population, pace.seconds),
        "login ms": await _milliseconds(log_in),
        "logout ms": await _milliseconds(log_out),
        "my sessions ms": await _milliseconds(lambda: get("/auth/sessions")),
        "page of users ms": await _milliseconds(lambda: get(f"/users-page?after={after}")),
    }


async def _first_uses(server: Server, population: _Population, seconds: float) -> float:
    def following(_answer: bytes | None) -> bytes:
        return request("GET", "/orders", population.bearer())

    answers = await load(server.port, [following] * _CONNECTIONS, seconds=seconds)
    if set(answers.statuses) != {200}:
        raise RuntimeError(f"unexpected answers: {answers.statuses}")
    return answers.per_second


async def _milliseconds(do: Callable[[], Awaitable[None]]) -> float:
    """The median of some, one after the other."""
    spent = []
    for _ in range(_SEQUENTIAL):
        started = time.perf_counter()
        await do()
        spent.append(time.perf_counter() - started)
    return 1000 * median(spent)


async def _fill(url: str, there: int, size: int, encoded: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for first in range(there + 1, size + 1, 100_000):
            last = min(first + 99_999, size)
            await connection.execute(_USERS, first, last, encoded, timeout=600)
            await connection.execute(_SESSIONS, first, last, timeout=600)
        await connection.execute("VACUUM ANALYZE", timeout=600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()
