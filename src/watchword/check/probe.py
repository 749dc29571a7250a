"""What an app answers when it is asked, in process: safe methods, and logins of people who do not exist."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Final, cast
from urllib.parse import urlencode

from fastapi.openapi.models import APIKeyIn
from fastapi.security.api_key import APIKeyBase
from starlette.middleware.trustedhost import TrustedHostMiddleware

from watchword.check.access import Access
from watchword.check.asgi import Answer, RunningApp, started
from watchword.check.credentials import is_credential
from watchword.check.filling import fields, filled_path, filled_query
from watchword.check.forging import Forged, Signing, claims_asked_for, forged, signed, signings, users
from watchword.check.login_attempts import Attempt, as_form, as_route_wants_it, long_name, short_name
from watchword.check.routes import AppRoute
from watchword.check.subject import Subject
from watchword.check.token_endpoint import token_routes

_LONGEST: Final = 120.0  # s, altogether; what is not asked by then is not asked
_LONGEST_AT_ONE_LOGIN: Final = 4.0
_ROUTES_PER_GUARD: Final = 3  # one may answer 404 or 500 to anybody
_ATTEMPTS: Final = 6
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """A route that something guards, and what it answered to a GET.

    Attributes:
        route: It.
        anonymous: To a call without credentials; None if nothing came in time.
        forged: To each kind of forged token: the answer that let it in, if one did. Empty where that was not asked.
        fresh: To a token made with the app's own secret; None if that cannot be read.
        expired: To the same token, an hour too late.
    """

    route: AppRoute
    anonymous: Answer | None
    forged: Mapping[Forged, Answer]
    fresh: Answer | None = None
    expired: Answer | None = None


@dataclass(frozen=True, slots=True)
class TokenForm:
    """A token endpoint, and what it answered to the forms that Swagger UI sends, for a name and for an address."""

    route: AppRoute
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class LoginAttempts:
    """A login, and what it answered to people who do not exist.

    Attributes:
        route: It.
        short_named: Its answers to those with a short name.
        long_named: To those with a long one, asked in turns with the others.
    """

    route: AppRoute
    short_named: tuple[Answer, ...]
    long_named: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Probed:
    """What was answered.

    Attributes:
        guarded: By the GET routes that something guards.
        token_forms: By what security schemes name as their token endpoint.
        logins: By the routes that take a password.
    """

    guarded: tuple[GuardedRoute, ...]
    token_forms: tuple[TokenForm, ...]
    logins: tuple[LoginAttempts, ...]

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Routes that gave no complete answer in time, streams for instance."""
        return tuple(f"GET {asked.route.path}" for asked in self.guarded if asked.anonymous is None)


def probe(subject: Subject) -> Probed:
    """Start the app, ask it, and stop it.

    Raises:
        CheckError: It does not start.
    """
    with asyncio.Runner() as runner:
        return runner.run(_probe(subject))


async def _probe(subject: Subject) -> Probed:
    async with started(subject.app, host=_host(subject)) as app:
        asking = _Asking(subject, app, time.monotonic() + _LONGEST)
        guarded = [answered async for answered in asking.guarded()]
        forms = [answered async for answered in asking.token_forms()]
        logins = [answered async for answered in asking.logins()]
    return Probed(tuple(guarded), tuple(forms), tuple(logins))


def _host(subject: Subject) -> str:
    """A host that the app answers to."""
    for middleware in subject.app.user_middleware:
        allowed = cast("Sequence[str]", middleware.kwargs.get("allowed_hosts") or ("*",))
        if cast("object", middleware.cls) is TrustedHostMiddleware and "*" not in allowed:
            return allowed[0].replace("*.", "www.", 1)
    return "localhost"


class _Asking:
    def __init__(self, subject: Subject, app: RunningApp, until: float) -> None:
        self._subject, self._app, self._until = subject, app, until
        self._users = users(subject.sources)
        self._claims = claims_asked_for(subject.sources)
        self._signings = signings(subject.sources)

    def _is_late(self) -> bool:
        return time.monotonic() > self._until

    async def guarded(self) -> AsyncIterator[GuardedRoute]:
        tried: dict[frozenset[int], int] = {}
        for route in self._subject.routes:
            protection = self._subject.protection(route)
            if "GET" not in route.methods or route.is_from_framework or protection.access is Access.PUBLIC:
                continue
            if self._is_late():
                return
            anonymous = await self._get(route)
            guards = frozenset(id(guard.call) for guard in protection.guards)
            if anonymous is None or not anonymous.is_refusal or tried.get(guards, 0) == _ROUTES_PER_GUARD:
                yield GuardedRoute(route, anonymous, {})
                continue
            tried[guards] = tried.get(guards, 0) + 1
            by_kind = {kind: answer for kind in Forged if (answer := await self._let_in(route, kind)) is not None}
            fresh, expired = (None, None) if by_kind else await self._own_tokens(route)
            yield GuardedRoute(route, anonymous, by_kind, fresh, expired)

    async def _let_in(self, route: AppRoute, kind: Forged) -> Answer | None:
        """The answer that let a forged token in, in whosever name."""
        for user in self._users[:1] if kind is Forged.GARBAGE else self._users:
            answer = await self._get(route, forged(kind, user, self._claims))
            if answer is not None and answer.is_success:
                return answer
        return None

    async def _own_tokens(self, route: AppRoute) -> tuple[Answer | None, Answer | None]:
        """What a token by the app's own secret gets, and the same when it has expired; nothing if it gets nothing."""
        for signing, user in self._signers():
            fresh = await self._get(route, signed(signing, user, lifetime=_HOUR))
            if fresh is not None and fresh.is_success:
                return fresh, await self._get(route, signed(signing, user, lifetime=-_HOUR))
        return None, None

    def _signers(self) -> Iterator[tuple[Signing, str]]:
        return ((signing, user) for signing in self._signings for user in self._users)

    async def _get(self, route: AppRoute, token: str | None = None) -> Answer | None:
        headers, query = ({}, {}) if token is None else _carrying(route, token)
        whole_query = "&".join(part for part in (filled_query(route), urlencode(query)) if part)
        return await self._app.ask("GET", filled_path(route), query=whole_query, headers=headers)

    async def token_forms(self) -> AsyncIterator[TokenForm]:
        for url, route in token_routes(self._subject):
            if not url.is_for_passwords or self._is_late():
                continue
            answers = [await self._post(route, as_form(user)) for user in ("nobody-at-all", short_name())]
            yield TokenForm(route, tuple(answer for answer in answers if answer is not None))

    async def logins(self) -> AsyncIterator[LoginAttempts]:
        for route in self._subject.login_routes:
            short: list[Answer] = []
            long: list[Answer] = []
            until = min(self._until, time.monotonic() + _LONGEST_AT_ONE_LOGIN)
            while len(short) < _ATTEMPTS and time.monotonic() < until:
                if not (
                    await self._log_in(route, short_name(), short) and await self._log_in(route, long_name(), long)
                ):
                    break
            # The first may have loaded what all others find.
            yield LoginAttempts(route, tuple(short[1:] or short), tuple(long[1:] or long))

    async def _log_in(self, route: AppRoute, user: str, answers: list[Answer]) -> bool:
        """Try it; whether to go on: not where nobody answers, or says that it is enough."""
        attempt = as_route_wants_it(route, user)
        answer = None if attempt is None else await self._post(route, attempt)
        if answer is None or answer.status == 429 or answer.status >= 500:  # noqa: PLR2004 — too many; its own fault
            return False
        answers.append(answer)
        return True

    async def _post(self, route: AppRoute, attempt: Attempt) -> Answer | None:
        headers = {"content-type": attempt.content_type, "content-length": str(len(attempt.body))}
        return await self._app.ask("POST", filled_path(route), headers=headers, body=attempt.body)


def _carrying(route: AppRoute, token: str) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query parameters with a token in every place where the route may look for one."""
    headers = {field.alias.lower(): token for field in fields(route, "header_params") if is_credential(field.alias)}
    query = {field.alias: token for field in fields(route, "query_params") if is_credential(field.alias)}
    cookies = SimpleCookie({f.alias: token for f in fields(route, "cookie_params") if is_credential(f.alias)})
    for dependency in route.all_dependencies():
        scheme: object = dependency.call
        if isinstance(scheme, APIKeyBase):
            where, name = scheme.model.in_, scheme.model.name
            if where is APIKeyIn.header:
                headers[name.lower()] = token
            elif where is APIKeyIn.query:
                query[name] = token
            else:
                cookies[name] = token
    headers["authorization"] = f"Bearer {token}"
    if cookies:
        headers["cookie"] = cookies.output(header="", sep=";").strip()
    return headers, query
