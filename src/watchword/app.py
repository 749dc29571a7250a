"""`Watchword`: what a host sees. It joins an app's routes, lifespan and documentation."""

import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, Generic, cast
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from watchword.assembly import Assembled, assemble, mailer_of
from watchword.errors import ConfigurationError, NotRunning, StorageDown
from watchword.events import E, Events, Handler
from watchword.facades import ApiKeys, Clients, Roles, Sessions, Users
from watchword.feed import Feed
from watchword.flows.manage_outbox import ManageOutbox
from watchword.guard.remembered import RememberingVerifier
from watchword.guard.running import STATE_KEY
from watchword.http import (
    account,
    admin,
    admin_api_keys,
    admin_clients,
    api_keys,
    consents,
    discovery,
    email,
    jwks,
    password_reset,
    revocation,
    second_factor,
    sessions,
    token,
    userinfo,
)
from watchword.http.openapi import has_absolute_server, relative_url, write_security_scheme
from watchword.http.pages import account as account_pages
from watchword.http.pages import assets, authorize, consent, end_session, links, login
from watchword.http.routes import OurRoutes
from watchword.http.use_cases import UseCases
from watchword.identity.open_session import OpenSession
from watchword.identity.pending import VerifyPending
from watchword.identity.scopes import ScopeCatalogue
from watchword.limits import Limits
from watchword.mail import Mailer
from watchword.model import P, Profile
from watchword.settings import EmailVerification, Settings, check_scopes, load_settings

_log: Final = logging.getLogger("watchword")

_ROUTERS: Final = (
    token.router,
    token.refresh_router,
    revocation.router,
    sessions.router,
    account.router,
    password_reset.router,
    second_factor.router,
    admin.router,
    admin_clients.router,
    admin_api_keys.router,
    api_keys.router,
    jwks.router,
)
_BY_MAIL: Final = (email.router, password_reset.by_mail)
_PAGES: Final = (
    userinfo.router,
    assets.router,
    authorize.router,
    consents.router,
    end_session.router,
    consent.router,
    login.router,
    links.router,
    account_pages.router,
)
_PAGES_BY_MAIL: Final = (links.by_mail,)


class Watchword(Generic[P]):
    """Login, tokens and guards for a FastAPI app.

    ```python
    app = FastAPI()
    Watchword().install(app)
    ```

    Args:
        settings: Where they do not come from `WATCHWORD_…` in the environment.
        scopes: The app's scopes, name → description; added to those of the settings.
        mailer: What sends mail, instead of SMTP or, in development, the log.
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
        mailer: Mailer | None = None,
    ) -> None:
        self.settings: Final = settings or load_settings()
        self.profile: Final[type[P]] = profile or cast("type[P]", Profile)
        try:
            check_scopes(dict(scopes or {}))
        except ValueError as error:
            raise ConfigurationError(f"Watchword(scopes=…): {error}") from None
        self._scopes: Final = ScopeCatalogue({**self.settings.scopes, **(scopes or {})})
        self._events: Final = Events()
        self._mailer: Final = mailer or mailer_of(self.settings)
        self._routes: Final = OurRoutes(self.settings.prefix, self._routers())
        self._well_known: Final = OurRoutes(discovery.PREFIX, [self._documents(at_root=True)])
        self._app: FastAPI | None = None
        self._running: Assembled[P] | None = None

    def install(self, app: FastAPI) -> None:
        """Give an app the endpoints, the lifespan and Swagger's Authorize button. Before or after the app's own routes.

        Raises:
            ConfigurationError: What is set needs mail, and nothing sends it; or mailed links would lead nowhere.
            RuntimeError: It is installed already, or has started.
        """
        if self._app is not None or self._running is not None:
            raise RuntimeError("install() comes once, before start-up; for a mounted sub-app use document(sub_app)")
        needs_mail = self.settings.needs_mail
        if self._mailer is None and needs_mail is not None:
            raise ConfigurationError(
                f"{needs_mail} needs mail: set WATCHWORD_MAIL_URL to smtp://user:password@host, and WATCHWORD_MAIL_FROM"
            )
        if self._mailer is not None and (missing := self.settings.links_that_lead_nowhere):
            raise ConfigurationError(
                f"WATCHWORD_PAGES=false: set {missing} to your page for mailed links, with {{token}} behind a #"
            )
        self._app = app
        for routes in (self._routes, self._well_known):
            routes.join(app)
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
        if self._app is not None:
            for routes in (self._routes, self._well_known):
                routes.stand_behind(self._app)
            _say_what_a_proxy_has_to_do(self.settings)
        async with AsyncExitStack() as stack:
            self._refuse_open_docs(app)
            try:
                self._running = await assemble(
                    self.settings,
                    profile=self.profile,
                    scopes=self._scopes,
                    events=self._events,
                    app_without_dependencies=self._app if self._app and not self._app.router.dependencies else None,
                    mailer=self._mailer,
                    sends=self._app is not None,  # a command leaves it to the app, whose mailer may be another
                    stack=stack,
                )
            except StorageDown as error:
                raise error.at_startup() from None
            try:
                yield {STATE_KEY: self}
            finally:
                self._running = None

    @property
    def well_known_router(self) -> APIRouter:
        """What belongs at the root of the host, for a parent that mounts the installed app at the issuer's path.

        ```python
        parent = FastAPI(lifespan=auth.lifespan)
        parent.include_router(auth.well_known_router)
        parent.mount("/shop", app)  # WATCHWORD_ISSUER=https://example.com/shop
        ```
        """
        router = APIRouter()
        router.include_router(self._documents(at_root=False), prefix=discovery.PREFIX)
        return router

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

    @property
    def clients(self) -> Clients:
        """The registered OAuth clients, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.clients

    @property
    def roles(self) -> Roles[P]:
        """What users may do, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.roles

    @property
    def api_keys(self) -> ApiKeys:
        """The API keys of users and clients, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.api_keys

    @property
    def outbox(self) -> ManageOutbox:
        """Mail that was not sent, for host code.

        Raises:
            NotRunning: Before start-up, or after the end.
        """
        return self._built.outbox

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
    def verify_pending(self) -> VerifyPending:
        """What knows the logins that wait for a second factor."""
        return self._built.verify_pending

    @property
    def open_session(self) -> OpenSession:
        """What completes a login."""
        return self._built.open_session

    @property
    def feed(self) -> Feed:
        """What tells of revocations."""
        return self._built.feed

    @property
    def limits(self) -> Limits:
        """What counts requests."""
        return self._built.limits

    @property
    def _built(self) -> Assembled[P]:
        if self._running is None:
            raise NotRunning("Watchword has not started: it runs within the app's lifespan")
        return self._running

    def _routers(self) -> list[APIRouter]:
        verifies = self.settings.email_verification is EmailVerification.REQUIRED
        sign_up = email.sign_up if verifies else account.sign_up
        pages = [*_PAGES, *(_PAGES_BY_MAIL if self._mailer else ())] if self.settings.pages else []
        return [
            *_ROUTERS,
            *(_BY_MAIL if self._mailer else ()),
            *([sign_up] * self.settings.sign_up),
            *pages,
        ]

    def _documents(self, *, at_root: bool) -> APIRouter:
        audience = urlsplit(self.settings.audience)
        return discovery.well_known_router(
            issuer_path=urlsplit(self.settings.issuer).path,
            resource_path=audience.path.rstrip("/") if audience.scheme in {"http", "https"} else None,
            at_root=at_root,
        )

    def _document(self, app: FastAPI, docs_path: Callable[[], str]) -> None:
        original = app.openapi
        if self.settings.pages and app.swagger_ui_init_oauth is None:
            app.swagger_ui_init_oauth = {"usePkceWithAuthorizationCodeGrant": True}

        def url_of(path: str, *, absolute: bool) -> str:
            ours = self.settings.prefix + path
            return self.settings.issuer + ours if absolute else relative_url(ours, seen_from=docs_path())

        def openapi() -> dict[str, Any]:
            document = original()
            # Swagger UI resolves relative addresses against its own page, unless the document names a whole server.
            absolute = has_absolute_server(document)
            write_security_scheme(
                document,
                token_url=url_of("/token", absolute=absolute),
                authorization_url=url_of("/authorize", absolute=absolute) if self.settings.pages else None,
                scopes=self._scopes.declared,
            )
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


def _say_what_a_proxy_has_to_do(settings: Settings) -> None:
    """An issuer with a path has documents outside of that path (RFC 8414 §3.1), which nobody would forward."""
    path = urlsplit(settings.issuer).path
    if path:
        _log.warning(
            "the issuer has a path: the proxy has to pass %s/… on with %s taken off, and %s/…%s as it is",
            *(path, path, discovery.PREFIX, path),
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
