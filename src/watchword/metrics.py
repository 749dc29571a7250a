"""Prometheus metrics. `watchword serve` answers them at `GET /metrics`; a host app adds them to its own registry."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from watchword.app import Watchword
from watchword.background import in_background
from watchword.events import (
    ApiKeyRevoked,
    CodeReused,
    LockedOut,
    LoggedIn,
    LoggedInAtPages,
    LoggedOutEverywhere,
    LoginRefused,
    MailDelayed,
    MailFailed,
    MailSent,
    PasswordChanged,
    PasswordReset,
    RefreshRefused,
    SessionEnded,
    SessionHealed,
    SessionRefreshed,
    SessionReused,
    TokenRevoked,
    UserDeleted,
    UserDisabled,
)

MULTIPROCESS: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder which several workers share; prometheus_client reads it when it is imported."""

_EVERY_SECONDS: Final = 1.0


class Metrics:
    """Counts what happens in a Watchword.

    ```python
    metrics = Metrics(auth)            # before the app starts
    app = FastAPI(lifespan=metrics.lifespan)
    ```

    Args:
        auth: Whose events are counted.
        registry: Where the metrics are found.
    """

    def __init__(self, auth: Watchword[Any], registry: CollectorRegistry = REGISTRY) -> None:
        self._auth = auth
        self._registry = registry
        self._seen = (0, 0)
        self._logins = Counter("watchword_logins", "Logins.", ["outcome"], registry=registry)
        self._refreshes = Counter("watchword_refreshes", "Refresh tokens presented.", ["outcome"], registry=registry)
        self._revocations = Counter("watchword_revocations", "What was ended.", ["what"], registry=registry)
        self._mails = Counter("watchword_mails", "Attempts to send a mail.", ["outcome"], registry=registry)
        self._verifications = Counter(
            "watchword_verifications", "Access tokens let in or asked about.", ["by"], registry=registry
        )
        self._feed_age = Gauge(
            "watchword_revocation_feed_age_seconds",
            "Since the start of the last successful read; beyond the staleness bound, requests ask the database.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._lockouts = Counter("watchword_lockouts", "Accounts locked for a while.", ["kind"], registry=registry)
        self._limited = Counter("watchword_limited", "Requests over a limit.", ["what"], registry=registry)
        self._seen_limited: dict[str, int] = {}
        self._listen()

    def _listen(self) -> None:
        on, logins, refreshes, ended = self._auth.on, self._logins, self._refreshes, self._revocations
        for login in (LoggedIn, LoggedInAtPages):
            on(login, lambda _: logins.labels("accepted").inc())
        on(LoginRefused, lambda _: logins.labels("refused").inc())
        on(LockedOut, lambda event: self._lockouts.labels(event.kind).inc())
        on(SessionRefreshed, lambda event: refreshes.labels("retried" if event.retried else "rotated").inc())
        on(SessionHealed, lambda _: refreshes.labels("healed").inc())
        on(SessionReused, lambda _: refreshes.labels("reused").inc())
        on(RefreshRefused, lambda _: refreshes.labels("refused").inc())
        for end_of_session in (SessionEnded, SessionReused, CodeReused):
            on(end_of_session, lambda _: ended.labels("session").inc())
        for end_of_all in (LoggedOutEverywhere, PasswordChanged, PasswordReset, UserDisabled, UserDeleted):
            on(end_of_all, lambda _: ended.labels("user").inc())
        on(TokenRevoked, lambda _: ended.labels("token").inc())
        on(MailSent, lambda _: self._mails.labels("sent").inc())
        on(MailDelayed, lambda _: self._mails.labels("delayed").inc())
        on(MailFailed, lambda _: self._mails.labels("failed").inc())
        on(ApiKeyRevoked, lambda _: ended.labels("api_key").inc())

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Take the figures that no event brings, once a second, so that no request pays for them."""
        async with in_background(self._keep_taking(), name="metrics"):
            yield

    async def _keep_taking(self) -> NoReturn:
        while True:
            self.take()
            await asyncio.sleep(_EVERY_SECONDS)

    def take(self) -> None:
        """Take the figures of the guards and of the feed now."""
        verifier = self._auth.verify_credential
        now = (verifier.hits, verifier.misses)
        for by, before, after in zip(("memory", "database"), self._seen, now, strict=True):
            self._verifications.labels(by).inc(after - before)
        self._seen = now
        for what, number in self._auth.limits.refused.items():
            self._limited.labels(what).inc(number - self._seen_limited.get(what, 0))
            self._seen_limited[what] = number
        self._feed_age.set(self._auth.feed.age)

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text format, of all workers where there are several."""
        self.take()
        folder = os.environ.get(MULTIPROCESS)
        if folder is None:
            return generate_latest(self._registry)
        _forget_dead_workers(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no annotations
        return generate_latest(registry)


def _forget_dead_workers(folder: Path) -> None:
    """A worker that was killed leaves its gauges behind, and what it last said would count for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # it has no annotations
        except PermissionError:
            continue
