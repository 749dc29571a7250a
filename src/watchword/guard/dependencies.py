"""`CurrentUser`, `CurrentPrincipal`, `requires(…)`: plain FastAPI dependencies, importable with no instance at hand.

The object that FastAPI shows in OpenAPI as the security scheme is the one that authenticates: one flat dependency.
"""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Security
from fastapi import params as fastapi_params
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlows
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection
from typing_extensions import override

from watchword.errors import InsufficientScope, InvalidToken, LoginTooOld, Refusal, SecondFactorNeeded
from watchword.guard.credentials import authorization, bearer_token
from watchword.guard.refusals import no_credential, refuse
from watchword.guard.remembered import Caller
from watchword.guard.running import running
from watchword.identity.issue import PendingPurpose
from watchword.identity.pending import Pending
from watchword.model import ACR_SECOND_FACTOR, ADMIN_SCOPE, API_KEY_PREFIX, OPENID, Device, Principal, User

SCHEME_NAME: Final = "Watchword"
"""The security scheme's name in OpenAPI. Its flows are written by `Watchword.install`, which knows the addresses."""


T = TypeVar("T")
Check = Callable[[Caller, SecurityScopes], T]
"""What a guard asks of a caller with the scopes that are named: what to hand to the endpoint, or a `Refusal`."""


class Guard(SecurityBase, Generic[T]):
    """Authenticates a request, checks the scopes that are named, and then what this guard is for.

    Args:
        check: That.
    """

    scheme_name = SCHEME_NAME
    model = OAuth2Model(flows=OAuthFlows())

    def __init__(self, check: Check[T]) -> None:
        self._check = check

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> T:
        """What the check hands out, or the answer of RFC 6750 §3.1 as `HTTPException`.

        Raises:
            HTTPException: It is not let in; 401 with a bare challenge where no credential came.
            NotRunning: Watchword is not installed, or its lifespan did not run.
        """
        verify = running(connection).verify_credential
        try:
            header, is_form = authorization(connection)
            caller = None if header is None or is_form else verify.recall(header)
            if caller is None:
                token = await bearer_token(connection)
                if token is None:
                    raise no_credential()
                caller = await _verify(connection, token)
            if not caller.principal.scopes.issuperset(needed.scopes):
                raise InsufficientScope(f"{caller.principal.subject} lacks one of {needed.scope_str!r}")
            return self._check(caller, needed)
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str) from None


async def _verify(connection: HTTPConnection, token: str) -> Caller:
    """What is not remembered. Only an API key is looked for before anything proves that there is such a one."""
    watchword = running(connection)
    if not token.startswith(API_KEY_PREFIX):
        return await watchword.verify_credential(token)
    device = Device(None, connection.client.host if connection.client is not None else None)
    async with watchword.limits.failures("api_key", device, InvalidToken):
        return await watchword.verify_credential(token)


def _any(caller: Caller, _needed: SecurityScopes) -> Principal:
    return caller.principal


def _caller(caller: Caller, _needed: SecurityScopes) -> Caller:
    return caller


def _user(caller: Caller, needed: SecurityScopes) -> User[Any]:
    user = caller.user()
    if user is None or not (needed.scopes or caller.principal.is_first_party_user):
        raise InsufficientScope("not a login of the first party, and no scope is named")
    return user


def _who_logged_in_within(limit: timedelta) -> Check[Principal]:
    seconds = int(limit.total_seconds())

    def check(caller: Caller, _needed: SecurityScopes) -> Principal:
        principal = caller.principal
        if _age(principal) > seconds:
            raise LoginTooOld(f"{principal.subject} logged in at {principal.auth_time}", max_age=seconds)
        return principal

    return check


def _by_two_factors(within: timedelta | None) -> Check[Principal]:
    seconds = 0 if within is None else int(within.total_seconds())

    def check(caller: Caller, _needed: SecurityScopes) -> Principal:
        principal = caller.principal
        if ACR_SECOND_FACTOR not in principal.amr or (seconds and _age(principal) > seconds):
            detail = f"{principal.subject} logged in by {principal.amr} at {principal.auth_time}"
            raise SecondFactorNeeded(detail, max_age=seconds)
        return principal

    return check


def _by_all_there_is(within: timedelta) -> Check[Principal]:
    recent, by_two_factors = _who_logged_in_within(within), _by_two_factors(within)

    def check(caller: Caller, needed: SecurityScopes) -> Principal:
        has_two = caller.account is not None and caller.account.second_factor
        return by_two_factors(caller, needed) if has_two else recent(caller, needed)

    return check


def _age(principal: Principal) -> float:
    """How many seconds ago the user authenticated; where no user did, it was never."""
    return math.inf if principal.auth_time is None else time.time() - principal.auth_time.timestamp()


def _with_role(name: str) -> Check[Principal]:
    def check(caller: Caller, _needed: SecurityScopes) -> Principal:
        roles = caller.account.roles if caller.account is not None else frozenset()
        if name not in roles or not caller.principal.is_first_party_user:
            raise InsufficientScope(f"{caller.principal.subject} does not have the role {name}")
        return caller.principal

    return check


def _admin(caller: Caller, _needed: SecurityScopes) -> Principal:
    principal = caller.principal
    if not principal.is_first_party_user or ADMIN_SCOPE not in principal.scopes:
        raise InsufficientScope(f"{principal.subject} is no administrator who logged in here")
    return principal


def _who_logged_in_here(caller: Caller, _needed: SecurityScopes) -> Principal:
    if not caller.principal.is_first_party_user:
        raise InsufficientScope(f"{caller.principal.subject} did not log in here")
    return caller.principal


class PendingGuard(Guard[Pending | Principal]):
    """Admits a login that waits for its second factor, and users who logged in to the host application itself.

    Args:
        purpose: What the pending token must be good for.
    """

    def __init__(self, purpose: PendingPurpose) -> None:
        super().__init__(_who_logged_in_here)
        self._purpose = purpose

    @override
    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Pending | Principal:
        verify_pending = running(connection).verify_pending
        try:
            token = await bearer_token(connection)
            if token is not None and verify_pending.looks_like_one(token):
                return await verify_pending(token, self._purpose)
        except Refusal as refusal:
            raise refuse(refusal, connection) from None
        return await super().__call__(connection, needed)


current_principal: Final = Guard(_any)
"""The dependency behind `CurrentPrincipal`: any credential, a service's or an API key's too."""

current_user: Final = Guard(_user)
"""The dependency behind `CurrentUser`: users, and with no scope named only those who logged in to the host application.

`Security(current_user, scopes=["orders:read"])` asks for scopes."""

CurrentAdmin = Annotated[Principal, Security(Guard(_admin), scopes=[ADMIN_SCOPE])]
WhoMayBeKnown = Annotated[Caller, Security(Guard(_caller), scopes=[OPENID])]
CurrentPrincipal = Annotated[Principal, Security(current_principal)]
CurrentUser = Annotated[User, fastapi_params.Security(current_user, scope="request")]


def requires(*scopes: str) -> fastapi_params.Security:
    """Ask for scopes: `dependencies=[requires("orders:read")]` on a route, a router or an app."""
    return fastapi_params.Security(current_principal, scopes=scopes, scope="request")


def requires_role(name: str) -> fastapi_params.Security:
    """Ask for a role of a user who logged in to the host application itself: `dependencies=[requires_role("admin")]`.

    What a role may do is better asked for by scope: that holds for services and API keys too, and a login that asked
    for less can do less, whereas it has the user's roles all the same.
    """
    return fastapi_params.Security(Guard(_with_role(name)))


def requires_recent_login(*, minutes: float = 5) -> fastapi_params.Security:
    """Ask for a login not older than some minutes, for what a stolen token must not be enough for (RFC 9470)."""
    return fastapi_params.Security(Guard(_who_logged_in_within(timedelta(minutes=minutes))))


def requires_recent_full_login(*, minutes: float) -> fastapi_params.Security:
    """Ask for a recent login, by two factors where the user has a second one: a session may be older than that."""
    return fastapi_params.Security(Guard(_by_all_there_is(timedelta(minutes=minutes))))


def requires_second_factor(*, minutes: float | None = None) -> fastapi_params.Security:
    """Ask for a login by two factors, of the last minutes if that is said (RFC 9470).

    `POST /auth/2fa/verify` with a code steps a session up that was opened without one, or too long ago.
    """
    return fastapi_params.Security(Guard(_by_two_factors(None if minutes is None else timedelta(minutes=minutes))))
