"""`Watchword`: the composition root. Everything is built here, once, and handed what it needs."""

import logging
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, cast

from fastapi import APIRouter, FastAPI
from starlette.routing import Match, Mount
from starlette.types import Message, Receive, Scope, Send

from watchword.crypto.keys import KeySet
from watchword.crypto.passwords import PasswordHasher
from watchword.crypto.refresh_tokens import RefreshTokenKeys
from watchword.crypto.sealing import Sealer
from watchword.deny_list import DenyList
from watchword.errors import ConfigurationError, NotRunning, StorageDown
from watchword.events import E, Events, Handler
from watchword.facades import Sessions, Users
from watchword.feed import Feed
from watchword.flows.change_password import ChangePassword
from watchword.flows.delete_user import DeleteUser
from watchword.flows.end_sessions import EndSessions
from watchword.flows.find_user import FindUser
from watchword.flows.introspect_token import IntrospectToken
from watchword.flows.list_sessions import ListSessions
from watchword.flows.prune import Prune, pruning
from watchword.flows.register import Register
from watchword.flows.revoke_token import RevokeToken
from watchword.flows.set_active import SetActive
from watchword.flows.update_profile import UpdateProfile
from watchword.grants import password, refresh_token
from watchword.grants.password import PasswordGrant
from watchword.grants.refresh_token import RefreshTokenGrant
from watchword.guard.remembered import RememberingVerifier
from watchword.guard.running import STATE_KEY
from watchword.http import account, jwks, revocation, sessions, token
from watchword.http.openapi import has_absolute_server, relative_url, write_security_scheme
from watchword.http.use_cases import UseCases
from watchword.identity.authenticate_client import AuthenticateClient
from watchword.identity.authenticate_user import AuthenticateUser
from watchword.identity.failure_time import FailureTime
from watchword.identity.hashing import HashingPool
from watchword.identity.issue import IssueTokens, TokenRules
from watchword.identity.keyring import open_keyring
from watchword.identity.open_session import OpenSession
from watchword.identity.password_policy import PasswordPolicy
from watchword.identity.scopes import ScopeCatalogue
from watchword.identity.secret_file import development_secret
from watchword.identity.verify import VerifyCredential
from watchword.model import P, Profile
from watchword.settings import Settings, SigningAlgorithm, check_scopes, load_settings
from watchword.storage import Database, open_database
from watchword.storage.schema import require_current, upgrade
from watchword.storage.sessions import Lifetimes
from watchword.storage.signals import signals_of

_log: Final = logging.getLogger("watchword")


@dataclass(frozen=True, slots=True)
class _Built(Generic[P]):
    """What exists between start and end."""

    use_cases: UseCases
    verify_credential: RememberingVerifier
    open_session: OpenSession
    users: Users[P]
    sessions: Sessions
    storage: Database
    feed: Feed


class Watchword(Generic[P]):
    """Login, tokens and guards for a FastAPI app.

    ```python
    app = FastAPI()
    Watchword().install(app)
    ```

    Args:
        settings: Where they do not come from `WATCHWORD_…` in the environment.
        scopes: The app's scopes, name → description; added to those of the settings.
        profile: A pydantic model with the app's own fields of a user. Fields added later need a default.

    Raises:
        ConfigurationError: A setting or a scope cannot be used; the message says which and why.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        scopes: Mapping[str, str] | None = None,
        profile: type[P] | None = None,
    ) -> None:
        self.settings: Final = settings or load_settings()
        self.profile: Final[type[P]] = profile or cast("type[P]", Profile)
        try:
            check_scopes(dict(scopes or {}))
        except ValueError as error:
            raise ConfigurationError(f"Watchword(scopes=…): {error}") from None
        self._scopes: Final = ScopeCatalogue({**self.settings.scopes, **(scopes or {})})
        self._events: Final = Events()
        self._app: FastAPI | None = None
        self._running: _Built[P] | None = None

    def install(self, app: FastAPI) -> None:
        """Give an app the endpoints, the lifespan and Swagger's Authorize button. Before or after the app's own routes.

        Raises:
            RuntimeError: It is installed already, or has started.
        """
        if self._app is not None or self._running is not None:
            raise RuntimeError("install() comes once, before start-up; for a mounted sub-app use document(sub_app)")
        self._app = app
        self._include_routes(app)
        _wrap_lifespan(app, self.lifespan)
        self._document(app, lambda: app.docs_url or "/docs")

    def document(self, sub_app: FastAPI) -> None:
        """Give a mounted sub-app with guards its own Authorize button. Its requests pass the guards without this.

        Args:
            sub_app: An app that the installed one mounts, before or after this call.
        """
        self._document(sub_app, lambda: self._mounted_at(sub_app) + (sub_app.docs_url or "/docs"))

    @asynccontextmanager
    async def lifespan(self, app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        """Start, and stop at the end. For a parent that mounts the installed app: `FastAPI(lifespan=auth.lifespan)`.

        Raises:
            ConfigurationError: It cannot start; the message says what to set or run.
        """
        if self._running is not None:
            raise RuntimeError("this Watchword is running already: one lifespan is enough")
        async with AsyncExitStack() as stack:
            self._refuse_open_docs(app)
            try:
                self._running = await self._build(stack)
            except StorageDown as error:
                raise error.at_startup() from None
            try:
                yield {STATE_KEY: self}
            finally:
                self._running = None

    @property
    def users(self) -> Users[P]:
        """The users, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.users

    @property
    def sessions(self) -> Sessions:
        """The logins of users, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.sessions

    def on(self, event: type[E], handler: Handler[E]) -> None:
        """Call a handler with each event of a class: `auth.on(SessionReused, warn_the_user)`.

        It is called after the commit and before the answer, in the process where it happened; keep it short. What it
        raises is logged and changes nothing for the caller.

        Args:
            event: A class of `watchword.events`; `Event` for all.
            handler: A plain or async function.
        """
        self._events.on(event, handler)

    async def check_ready(self) -> None:
        """Ask the database whether it is there, for a readiness probe.

        Raises:
            StorageDown: It is not.
        """
        await self._built.storage.ping()

    @property
    def scopes(self) -> Mapping[str, str]:
        """The scopes that the app declares, name → description."""
        return self._scopes.declared

    @property
    def use_cases(self) -> UseCases:
        """What the endpoints call."""
        return self._built.use_cases

    @property
    def verify_credential(self) -> RememberingVerifier:
        """What the guards call."""
        return self._built.verify_credential

    @property
    def open_session(self) -> OpenSession:
        """What completes a login."""
        return self._built.open_session

    @property
    def feed(self) -> Feed:
        """What tells of revocations."""
        return self._built.feed

    @property
    def _built(self) -> _Built[P]:
        if self._running is None:
            raise NotRunning("Watchword has not started: it runs within the app's lifespan")
        return self._running

    async def _build(self, stack: AsyncExitStack) -> _Built[P]:
        settings = self.settings
        storage = open_database(settings)
        stack.push_async_callback(storage.close)
        if settings.is_production:
            await require_current(storage)
        else:
            await upgrade(storage)
        secrets = [secret.get_secret_value() for secret in settings.secret] or [development_secret(settings)]
        keyed = [secret.encode() for secret in secrets]
        keys = await open_keyring(
            storage,
            Sealer.from_secrets(keyed),
            {SigningAlgorithm.ES256, SigningAlgorithm.RS256, settings.access_token_algorithm},
        )
        hashing = HashingPool(
            PasswordHasher(settings.password_cost),
            threads=settings.hashing_threads,
            queue=settings.hashing_queue,
        )
        stack.callback(hashing.close)
        feed = await self._follow_revocations(storage, stack)
        await stack.enter_async_context(pruning(Prune(storage)))
        return self._compose(storage, keys, RefreshTokenKeys.from_secrets(keyed), hashing, feed)

    async def _follow_revocations(self, storage: Database, stack: AsyncExitStack) -> Feed:
        settings = self.settings
        # A connection of its own: the pool of the requests may be in use to the last one.
        followed = storage if storage.is_in_memory else open_database(settings, direct=True)
        stack.push_async_callback(followed.close)
        feed = Feed(
            signals_of(followed),
            staleness=settings.revocation_staleness.total_seconds(),
            forget_after=storage.revocations_kept_for.total_seconds(),
        )
        storage.on_revoked(feed.apply)
        if settings.redis_url is not None:
            deny_list = DenyList(settings.redis_url.get_secret_value(), issuer=settings.issuer, storage=storage)
            feed.on_arrival(deny_list.put)
            await stack.enter_async_context(deny_list.exporting())
        await stack.enter_async_context(feed.following())
        return feed

    def _compose(
        self, storage: Database, keys: KeySet, refresh_keys: RefreshTokenKeys, hashing: HashingPool, feed: Feed
    ) -> _Built[P]:
        settings, events = self.settings, self._events
        rules = TokenRules(
            settings.issuer,
            settings.audience,
            settings.access_token_lifetime,
            settings.access_token_algorithm,
        )
        issue = IssueTokens(keys, refresh_keys, rules, time.time)
        verify = VerifyCredential(storage, keys, rules, settings.clock_leeway.total_seconds(), time.time)
        lifetimes = Lifetimes(settings.refresh_idle_lifetime, settings.refresh_absolute_lifetime)
        open_session = OpenSession(storage, issue, lifetimes, events)
        policy = PasswordPolicy(settings.password_min_length)
        register = Register(storage, hashing, policy, self.profile, events)
        update_profile = UpdateProfile(storage, self.profile)
        delete_user = DeleteUser(storage, events)
        list_sessions, end_sessions = ListSessions(storage), EndSessions(storage, events)
        authenticate_user = AuthenticateUser(storage, hashing, FailureTime(storage, hashing))
        return _Built(
            use_cases=UseCases(
                authenticate_client=AuthenticateClient(),
                grants={
                    password.NAME: PasswordGrant(authenticate_user, self._scopes, open_session, events),
                    refresh_token.NAME: RefreshTokenGrant(
                        storage, refresh_keys, issue, events, lifetimes.idle, settings.refresh_leeway
                    ),
                },
                register=register,
                update_profile=update_profile,
                change_password=ChangePassword(storage, hashing, policy, events),
                delete_user=delete_user,
                list_sessions=list_sessions,
                end_sessions=end_sessions,
                revoke_token=RevokeToken(storage, refresh_keys, verify, events, time.time),
                introspect_token=IntrospectToken(storage, refresh_keys, verify, rules),
                jwks=keys.jwks(),
                https_only=settings.is_production,
            ),
            verify_credential=RememberingVerifier(verify, feed, size=settings.remembered_tokens),
            open_session=open_session,
            storage=storage,
            feed=feed,
            users=Users(
                self.profile, register, FindUser(storage), update_profile, SetActive(storage, events), delete_user
            ),
            sessions=Sessions(list_sessions, end_sessions),
        )

    def _include_routes(self, app: FastAPI) -> None:
        routes = APIRouter(prefix=self.settings.prefix)
        routes.include_router(token.router)
        routes.include_router(token.refresh_router)
        routes.include_router(revocation.router)
        routes.include_router(sessions.router)
        if self.settings.sign_up:
            routes.include_router(account.sign_up)
        routes.include_router(account.router)
        routes.include_router(jwks.router)
        ours = {"type": "http", "method": "POST", "path": f"{self.settings.prefix}/token", "headers": []}
        shadowed = any(route.matches(dict(ours))[0] is not Match.NONE for route in app.router.routes)
        app.include_router(routes)
        if shadowed:  # a catch-all of the host, such as a single-page app at "/", stands before us
            app.router.routes.insert(0, app.router.routes.pop())

    def _document(self, app: FastAPI, docs_path: Callable[[], str]) -> None:
        original = app.openapi
        token_path = f"{self.settings.prefix}/token"

        def openapi() -> dict[str, Any]:
            document = original()
            # Swagger UI resolves a relative tokenUrl against its own page, unless the document names a whole server.
            absolute = has_absolute_server(document)
            url = self.settings.issuer + token_path if absolute else relative_url(token_path, seen_from=docs_path())
            write_security_scheme(document, token_url=url, scopes=self._scopes.declared)
            return document

        app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend OpenAPI

    def _mounted_at(self, sub_app: FastAPI) -> str:
        routes = self._app.routes if self._app is not None else []
        return next((route.path for route in routes if isinstance(route, Mount) and route.app is sub_app), "")

    def _refuse_open_docs(self, app: FastAPI) -> None:
        if not self.settings.is_production or self.settings.docs_in_production:
            return
        for open_app in (app, self._app):
            if open_app is not None and open_app.openapi_url:
                raise ConfigurationError(
                    f"the app serves its documentation ({open_app.docs_url or open_app.openapi_url}) in production: "
                    "set WATCHWORD_DOCS_IN_PRODUCTION=true if that is meant, else FastAPI(openapi_url=None)"
                )


def _wrap_lifespan(app: FastAPI, ours: Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]) -> None:
    """Put our lifespan around the app's own, so that the app's start-up code can use `auth.users`."""
    inner = app.router.lifespan_context
    run = app.router.lifespan

    @asynccontextmanager
    async def lifespan(running_app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with ours(app) as state, inner(running_app) as host_state:
            yield {**(host_state or {}), **state}

    async def run_with_clear_failure(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_one_line(message: Message) -> None:
            # Starlette sends the traceback, which servers print; an operator's mistake is one line.
            failure = sys.exc_info()[1]
            if message["type"] == "lifespan.startup.failed" and isinstance(failure, ConfigurationError):
                message = {**message, "message": str(failure)}
            await send(message)

        await run(scope, receive, send_one_line)

    app.router.lifespan_context = lifespan
    app.router.lifespan = run_with_clear_failure  # type: ignore[method-assign]  # the server sees this app's failures only here
