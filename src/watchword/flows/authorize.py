"""The authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2): what becomes of a request."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from watchword.crypto import opaque_tokens
from watchword.errors import (
    AccessDenied,
    AuthorizationRefused,
    ConsentRequired,
    InteractionRequired,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    LoginRequired,
    Refusal,
    UnauthorizedClient,
    UnmetAuthenticationRequirements,
    UnsafeAuthorizationRequest,
)
from watchword.identity.authorization import (
    LONGEST_STATE,
    AuthorizationRequest,
    asks_consent,
    consent_holds_for,
    host_of,
    is_registered,
)
from watchword.identity.id_tokens import VerifyIdToken
from watchword.identity.scopes import ScopeCatalogue
from watchword.model import ACR_SECOND_FACTOR, CODE_PREFIX, Account, BrowserSession, Client, ConsentQuestion
from watchword.storage import Database
from watchword.storage.authorization_codes import NewCode

_log: Final = logging.getLogger("watchword.http")
_TOLD_TO_THE_CLIENT: Final = (InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient, AuthorizationRefused)


@dataclass(frozen=True, slots=True)
class LoginNeeded:
    """The user has to log in, or to do it again; then the same request is made once more."""


@dataclass(frozen=True, slots=True)
class ConsentNeeded:
    """The user has to be asked; then the same request is made once more."""


@dataclass(frozen=True, slots=True)
class RedirectBack:
    """The browser goes back to the client.

    Attributes:
        uri: With a code, or with an error.
    """

    uri: str = field(repr=False)


Answer = LoginNeeded | ConsentNeeded | RedirectBack


@dataclass(frozen=True, slots=True)
class Authorize:
    """Answers authorization requests.

    Attributes:
        issuer: Tells clients who answers (RFC 9207).
        idle_lifetime: How long a login at our pages lives without being used.
        clock: Unix time in seconds.
    """

    storage: Database
    scopes: ScopeCatalogue
    verify_id_token: VerifyIdToken
    issuer: str
    idle_lifetime: timedelta
    clock: Callable[[], float]

    async def __call__(self, parameters: Mapping[str, str], browser: BrowserSession | None) -> Answer:
        """Answer a request.

        Args:
            parameters: Its own, each once.
            browser: The login that it comes with.

        Raises:
            UnsafeAuthorizationRequest: Its client or its return address is not known: the user is told, nobody else.
            InvalidRequest: Its `id_token_hint` is not the client's.
            StorageDown: It cannot be decided now.
        """
        client = await self._client(parameters)
        hinted = await self._hinted_user(client, parameters.get("id_token_hint"))
        try:
            if hinted is not None and browser is not None and hinted != browser.user_id:
                raise LoginRequired  # OpenID Connect Core §3.1.2.1: not in the name of somebody else
            return await self._decide(client, parameters, browser)
        except _TOLD_TO_THE_CLIENT as refusal:
            _log.info("sent back to client %s: %s (%s)", client.id, refusal.code, refusal.detail)
            return self._back_with(refusal, parameters)

    async def question(self, parameters: Mapping[str, str], browser: BrowserSession) -> ConsentQuestion:
        """What the user is to be asked.

        Raises:
            Refusal: As for the request itself; here there is nothing to ask then, and the user is told.
        """
        client = await self._client(parameters)
        request = AuthorizationRequest.of(parameters, client)
        scopes = self._granted(client, request, await self._account(browser))
        return ConsentQuestion(client, self.scopes.describe(scopes), host_of(request.redirect_uri))

    async def denied(self, parameters: Mapping[str, str]) -> RedirectBack:
        """Tell the client that the user said no.

        Raises:
            UnsafeAuthorizationRequest: As for the request itself.
        """
        await self._client(parameters)
        return self._back_with(AccessDenied(), parameters)

    async def _client(self, parameters: Mapping[str, str]) -> Client:
        """Whose request it is, its return address and what is repeated there (RFC 6749 §4.1.2.1)."""
        async with self.storage.reading() as stores:
            client = await stores.clients.get(parameters.get("client_id", ""))
        if client is None or not client.is_active:
            raise UnsafeAuthorizationRequest("no such client, or it is disabled")
        if not is_registered(client, parameters.get("redirect_uri", "")):
            raise UnsafeAuthorizationRequest(f"a redirect_uri that client {client.id} has not registered, or none")
        if len(parameters.get("state", "")) > LONGEST_STATE:
            raise UnsafeAuthorizationRequest(f"client {client.id} sent a state that is too long to be repeated")
        return client

    async def _hinted_user(self, client: Client, hint: str | None) -> UUID | None:
        """Whose login the client remembers, if it says so; a hint that has expired is still one."""
        if not hint:
            return None
        remembered = await self.verify_id_token(hint)
        if remembered.client.id != client.id:
            raise InvalidRequest(f"client {client.id} sent an ID token of client {remembered.client.id}")
        return remembered.user_id

    async def _decide(self, client: Client, parameters: Mapping[str, str], browser: BrowserSession | None) -> Answer:
        request = AuthorizationRequest.of(parameters, client)
        if browser is None or request.wants_login(browser, now=self.clock()):
            if request.is_silent:
                raise LoginRequired
            return LoginNeeded()
        if request.subjects and str(browser.user_id) not in request.subjects:  # OpenID Connect Core §3.1.2.2
            raise LoginRequired
        account, has_used_factor = await self._account(browser), ACR_SECOND_FACTOR in browser.amr
        if request.wants_second_factor and account.second_factor and not has_used_factor:
            if request.is_silent:
                raise InteractionRequired
            return LoginNeeded()
        if request.needs_second_factor and not has_used_factor:
            raise UnmetAuthenticationRequirements(f"user {browser.user_id} has no second factor")
        scopes = self._granted(client, request, account)
        if "consent" in request.prompt or not await self._is_allowed(client, request, browser, scopes):
            if request.is_silent:
                raise ConsentRequired
            return ConsentNeeded()
        return await self._give_code(client, request, browser, scopes, parameters)

    async def _account(self, browser: BrowserSession) -> Account:
        async with self.storage.reading() as stores:
            account = await stores.users.get(browser.user_id)
        if account is None:
            raise LoginRequired(f"user {browser.user_id} is gone")
        return account

    def _granted(self, client: Client, request: AuthorizationRequest, account: Account) -> frozenset[str]:
        return self.scopes.grant_to_third_party(request.scopes, client=client, role_scopes=account.role_scopes)

    async def _is_allowed(
        self, client: Client, request: AuthorizationRequest, browser: BrowserSession, scopes: frozenset[str]
    ) -> bool:
        if not asks_consent(client, request.redirect_uri):
            return True
        not_older_than = consent_holds_for(client, request.redirect_uri)
        async with self.storage.reading() as stores:
            allowed = await stores.consents.allowed(browser.user_id, client.id, not_older_than=not_older_than)
        return scopes <= allowed

    async def _give_code(
        self,
        client: Client,
        request: AuthorizationRequest,
        browser: BrowserSession,
        scopes: frozenset[str],
        parameters: Mapping[str, str],
    ) -> RedirectBack:
        code = opaque_tokens.new(CODE_PREFIX)
        new = NewCode(
            digest=opaque_tokens.digest(CODE_PREFIX, code),
            client_id=client.id,
            user_id=browser.user_id,
            browser_session_id=browser.id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scopes=scopes,
            audience=request.resource,
            nonce=request.nonce,
            claims=request.claims,
        )
        async with self.storage.transaction() as stores:
            await stores.browser_sessions.touch(browser.id, idle=self.idle_lifetime)
            is_added = await stores.authorization_codes.add(new)
        if not is_added:
            raise UnsafeAuthorizationRequest(f"client {client.id} or user {browser.user_id} is gone")
        return self._back({"code": code}, parameters)

    def _back_with(self, refusal: Refusal, parameters: Mapping[str, str]) -> RedirectBack:
        return self._back({"error": refusal.code, "error_description": refusal.text}, parameters)

    def _back(self, answer: Mapping[str, str], parameters: Mapping[str, str]) -> RedirectBack:
        """RFC 6749 §4.1.2, and RFC 9207: a client that knows several servers is told which one answers."""
        uri, state = parameters["redirect_uri"], parameters.get("state")
        query = urlencode({**answer, **({"state": state} if state else {}), "iss": self.issuer})
        return RedirectBack(f"{uri}{'&' if '?' in uri else '?'}{query}")
