"""`CurrentUser`, `CurrentPrincipal`, `requires(…)`: plain FastAPI dependencies, importable with no instance at hand.

The object that FastAPI shows in OpenAPI as the security scheme is the one that authenticates: one flat dependency.
"""

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

from watchword.errors import InsufficientScope, InvalidToken, LoginTooOld, Refusal
from watchword.guard.credentials import authorization, bearer_token
from watchword.guard.refusals import no_credential, refuse
from watchword.guard.remembered import Caller
from watchword.guard.running import running
from watchword.model import ADMIN_SCOPE, API_KEY_PREFIX, Device, Principal, User

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


def _user(caller: Caller, needed: SecurityScopes) -> User[Any]:
    user = caller.user()
    if user is None or not (needed.scopes or caller.principal.is_first_party_user):
        raise InsufficientScope("not a login of the first party, and no scope is named")
    return user


def _who_logged_in_within(limit: timedelta) -> Check[Principal]:
    seconds = int(limit.total_seconds())

    def check(caller: Caller, _needed: SecurityScopes) -> Principal:
        principal = caller.principal
        if principal.auth_time is None or time.time() - principal.auth_time.timestamp() > seconds:
            raise LoginTooOld(f"{principal.subject} logged in at {principal.auth_time}", max_age=seconds)
        return principal

    return check


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


current_principal: Final = Guard(_any)
"""The dependency behind `CurrentPrincipal`: any credential, a service's or an API key's too."""

current_user: Final = Guard(_user)
"""The dependency behind `CurrentUser`: users, and with no scope named only those who logged in to the host application.

`Security(current_user, scopes=["orders:read"])` asks for scopes."""

CurrentAdmin = Annotated[Principal, Security(Guard(_admin), scopes=[ADMIN_SCOPE])]
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
