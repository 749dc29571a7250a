"""Clients of a started host app, each with the real token of a real user."""

import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typing_extensions import TypeVarTuple, Unpack, override

from watchword.app import Watchword
from watchword.errors import ConfigurationError
from watchword.guard.running import STATE_KEY
from watchword.identity.authenticate_client import ClientCredentials
from watchword.model import EVERY_SCOPE, RESERVED_SCOPES, Device, Role, User

_ROLE = "as_user"
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Joining(TestClient):
    """A client of an app that another client started: same event loop, own headers and cookies."""

    def __init__(self, started: TestClient) -> None:
        super().__init__(started.app)
        self.portal = started.portal
        self.app_state.update(started.app_state)

    @override
    def __enter__(self) -> Self:
        return self  # `with as_user() as client:` must not start the app again

    @override
    def __exit__(self, *_: object) -> None:
        self.close()


class UserClient(_Joining):
    """What `as_user` returns: Starlette's `TestClient`, already started, with an `Authorization` header.

    Attributes:
        user: Whose token it is.
    """

    def __init__(self, started: TestClient, *, user: User[Any], token: str) -> None:
        super().__init__(started)
        self.user = user
        self.headers["Authorization"] = f"Bearer {token}"


@dataclass(frozen=True, slots=True)
class StartedApp:
    """A host app between start-up and shutdown."""

    client: TestClient

    @classmethod
    @contextmanager
    def start(cls, app: FastAPI) -> "Iterator[StartedApp]":
        """Run the app's lifespan around a test."""
        with ExitStack() as stack:
            try:
                client = stack.enter_context(TestClient(app))
            except ConfigurationError as error:
                pytest.fail(str(error), pytrace=False)
            yield cls(client)

    @property
    def anonymous(self) -> TestClient:
        """A client without a token."""
        return _Joining(self.client)

    @property
    def declared_scopes(self) -> frozenset[str]:
        """The scopes of the app."""
        return frozenset(self._watchword().scopes)

    def revoke(self, client: UserClient) -> None:
        """End the session that a client's token is of."""
        self._call(self._watchword().sessions.end_all, client.user.id)

    def disable(self, client: UserClient) -> None:
        """Disable a client's user."""
        self._call(self._watchword().users.disable, client.user.id)

    def as_user(
        self,
        *,
        scopes: Collection[str] = (),
        email: str | None = None,
        profile: Mapping[str, Any] | None = None,
        amr: tuple[str, ...] = ("pwd",),
    ) -> UserClient:
        """See `watchword.testing.plugin.AsUser`; `amr` is how the user is said to have logged in (RFC 8176)."""
        __tracebackhide__ = True  # pytest shows the line of the test
        auth = self._watchword()
        wanted = _known(scopes, auth)
        address = email or f"user-{uuid.uuid4().hex}@example.com"
        user, token = self._call(_log_in, auth, address, wanted, profile, amr)
        return UserClient(self.client, user=user, token=token)

    def _call(self, function: Callable[[Unpack[Ts]], Awaitable[T]], *arguments: *Ts) -> T:
        """Call a coroutine function in the app's event loop."""
        assert self.client.portal is not None
        return self.client.portal.call(function, *arguments)

    def _watchword(self) -> Watchword[Any]:
        __tracebackhide__ = True
        auth = self.client.app_state.get(STATE_KEY)
        if not isinstance(auth, Watchword):
            pytest.fail("the app of watchword_app runs no Watchword: Watchword().install(app)", pytrace=False)
        if auth.settings.is_production:
            pytest.fail("this Watchword has production settings: tests make users, so not there", pytrace=False)
        return auth


def _known(scopes: Collection[str], auth: Watchword[Any]) -> frozenset[str]:
    __tracebackhide__ = True
    if isinstance(scopes, str):
        raise TypeError(f"scopes is a list: as_user(scopes=[{scopes!r}])")
    for scope in scopes:
        if scope not in auth.scopes and scope not in RESERVED_SCOPES:
            declared = ", ".join(sorted(auth.scopes)) or "none"
            raise ValueError(f"{scope!r} is not a scope of this app, which declares: {declared}")
    return frozenset(scopes)


async def _log_in(
    auth: Watchword[Any],
    email: str,
    scopes: frozenset[str],
    profile: Mapping[str, Any] | None,
    amr: tuple[str, ...],
) -> tuple[User[Any], str]:
    user = await auth.users.find(email)
    if user is None:
        user = await auth.users.create(email, profile=profile)
    elif profile is not None:
        user = await auth.users.update_profile(user.id, profile)
    async with auth.open_session.storage.transaction() as stores:
        # A role that allows what the test asks for; the token carries no more than that.
        reserved = scopes & RESERVED_SCOPES
        role = Role(".".join((_ROLE, *sorted(reserved))), "The tests' own", frozenset({EVERY_SCOPE, *reserved}))
        await stores.roles.add(role)
        await stores.users.touch(user.id)
        await stores.roles.give(user.id, [role.name])
        account = await stores.users.get(user.id)
    assert account is not None, "it was there a moment ago"
    first_party = await auth.use_cases.authenticate_client(ClientCredentials())
    issued = await auth.open_session(account, first_party, scopes=scopes, amr=amr, device=Device("as_user"))
    assert issued is not None, "nothing else changes it now"
    return account.user(auth.profile), issued.access_token
