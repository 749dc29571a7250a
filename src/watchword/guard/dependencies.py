"""`CurrentUser`, `CurrentPrincipal`, `requires(…)`: plain FastAPI dependencies, importable with no instance at hand.

The object that FastAPI shows in OpenAPI as the security scheme is the one that authenticates: one flat dependency.
"""

import math
import time
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Security
from fastapi import params as fastapi_params
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlows
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from watchword.errors import InsufficientScope, LoginTooOld, Refusal, SecondFactorNeeded
from watchword.guard.credentials import bearer_token, lone_authorization
from watchword.guard.refusals import no_credential, refuse
from watchword.guard.remembered import Caller
from watchword.guard.running import running
from watchword.identity.issue import PendingPurpose
from watchword.identity.pending import Pending
from watchword.model import ACR_SECOND_FACTOR, ADMIN_SCOPE, Principal, User

SCHEME_NAME: Final = "Watchword"
"""The security scheme's name in OpenAPI. Its flows are written by `Watchword.install`, which knows the addresses."""


class _Scheme(SecurityBase):
    """What OpenAPI shows: every guard is this one scheme."""

    scheme_name = SCHEME_NAME
    model = OAuth2Model(flows=OAuthFlows())


async def _admit(connection: HTTPConnection, needed: SecurityScopes) -> Caller:
    """Authenticate a request and check the scopes.

    Raises:
        HTTPException: 401 with a bare challenge; no credential came.
        Refusal: It is not let in.
        NotRunning: Watchword is not installed, or its lifespan did not run.
    """
    verify = running(connection).verify_credential
    header = lone_authorization(connection)
    caller = verify.recall(header) if header is not None else None
    if caller is None:
        token = await bearer_token(connection)
        if token is None:
            raise no_credential()
        caller = await verify(token)
    if not caller.principal.scopes.issuperset(needed.scopes):
        raise InsufficientScope(f"{caller.principal.subject} lacks one of {needed.scope_str!r}")
    return caller


def _age(principal: Principal) -> float:
    """How many seconds ago the user authenticated; where no user did, it was never."""
    return math.inf if principal.auth_time is None else time.time() - principal.auth_time.timestamp()


class PrincipalGuard(_Scheme):
    """Admits any good credential with the scopes that are named."""

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        """The principal, or the answer of RFC 6750 §3.1 as `HTTPException`."""
        try:
            return (await _admit(connection, needed)).principal
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str) from None


class UserGuard(_Scheme):
    """Admits users. With no scope named, only those who logged in to the host application itself."""

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> User[Any]:
        """The user, active at this moment, or the answer of RFC 6750 §3.1 as `HTTPException`."""
        try:
            caller = await _admit(connection, needed)
            user = caller.user()
            if user is None or not (needed.scopes or caller.principal.is_first_party_user):
                raise InsufficientScope("not a login of the first party, and no scope is named")
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str) from None
        return user


class RecentLoginGuard(_Scheme):
    """Admits users whose login is not older than a limit (RFC 9470).

    Args:
        max_age: The limit.
    """

    def __init__(self, max_age: timedelta) -> None:
        self._seconds = int(max_age.total_seconds())

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        """The principal, or 401 with `insufficient_user_authentication` and the `max_age` to log in with."""
        try:
            principal = (await _admit(connection, needed)).principal
            if _age(principal) > self._seconds:
                raise LoginTooOld(f"{principal.subject} logged in at {principal.auth_time}")
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str, max_age=self._seconds) from None
        return principal


class SecondFactorGuard(_Scheme):
    """Admits users whose login was by two factors (RFC 9470).

    Args:
        max_age: How long ago at most; None for any time within the session.
    """

    def __init__(self, max_age: timedelta | None) -> None:
        self._seconds = int(max_age.total_seconds()) if max_age is not None else 0

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        """The principal, or 401 with `insufficient_user_authentication` and the `acr_values` to log in with."""
        try:
            principal = (await _admit(connection, needed)).principal
            if ACR_SECOND_FACTOR not in principal.amr:
                raise SecondFactorNeeded(f"{principal.subject} logged in by {principal.amr}")
            if self._seconds and _age(principal) > self._seconds:
                raise SecondFactorNeeded(f"{principal.subject} logged in at {principal.auth_time}")
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str, max_age=self._seconds) from None
        return principal


class PendingGuard(_Scheme):
    """Admits a login that waits for its second factor, and users who logged in to the host application itself.

    Args:
        purpose: What the pending token must be good for.
    """

    def __init__(self, purpose: PendingPurpose) -> None:
        self._purpose = purpose

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Pending | Principal:
        """Who it is, or the answer of RFC 6750 §3.1 as `HTTPException`."""
        try:
            verify_pending = running(connection).verify_pending
            token = await bearer_token(connection)
            if token is not None and verify_pending.looks_like_one(token):
                return await verify_pending(token, self._purpose)
            principal = (await _admit(connection, needed)).principal
            if not principal.is_first_party_user:
                raise InsufficientScope(f"{principal.subject} did not log in here")
        except Refusal as refusal:
            raise refuse(refusal, connection) from None
        return principal


class RoleGuard(_Scheme):
    """Admits users who have a role now and logged in to the host application itself.

    Args:
        name: The role.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        """The principal, or the answer of RFC 6750 §3.1 as `HTTPException`."""
        try:
            caller = await _admit(connection, needed)
            roles = caller.account.roles if caller.account is not None else frozenset()
            if self._name not in roles or not caller.principal.is_first_party_user:
                raise InsufficientScope(f"{caller.principal.subject} does not have the role {self._name}")
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str) from None
        return caller.principal


class AdminGuard(_Scheme):
    """Admits administrators: users who logged in to the host application itself, and asked for the scope `admin`."""

    async def __call__(self, connection: HTTPConnection, needed: SecurityScopes) -> Principal:
        """The principal, or the answer of RFC 6750 §3.1 as `HTTPException`."""
        try:
            principal = (await _admit(connection, needed)).principal
            if not principal.is_first_party_user or ADMIN_SCOPE not in principal.scopes:
                raise InsufficientScope(f"{principal.subject} is no administrator who logged in here")
        except Refusal as refusal:
            raise refuse(refusal, connection, scopes=needed.scope_str) from None
        return principal


current_principal: Final = PrincipalGuard()
"""The dependency behind `CurrentPrincipal`: any credential, a service's or an API key's too."""

current_user: Final = UserGuard()
"""The dependency behind `CurrentUser`; `Security(current_user, scopes=["orders:read"])` asks for scopes."""

CurrentAdmin = Annotated[Principal, Security(AdminGuard(), scopes=[ADMIN_SCOPE])]
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
    return fastapi_params.Security(RoleGuard(name))


def requires_recent_login(*, minutes: float = 5) -> fastapi_params.Security:
    """Ask for a login not older than some minutes, for what a stolen token must not be enough for (RFC 9470)."""
    return fastapi_params.Security(RecentLoginGuard(timedelta(minutes=minutes)))


def requires_second_factor(*, minutes: float | None = None) -> fastapi_params.Security:
    """Ask for a login by two factors, of the last minutes if that is said (RFC 9470).

    `POST /auth/2fa/verify` with a code steps a session up that was opened without one, or too long ago.
    """
    return fastapi_params.Security(SecondFactorGuard(None if minutes is None else timedelta(minutes=minutes)))
