"""The authorization code grant (RFC 6749 §4.1.3) with PKCE: what a user allowed at our pages, for tokens."""

from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from watchword.crypto import opaque_tokens, pkce
from watchword.crypto.ids import new_id
from watchword.crypto.opaque_tokens import BadOpaqueToken
from watchword.crypto.refresh_tokens import RefreshToken, new_handle
from watchword.errors import InvalidGrant, InvalidTarget, UnauthorizedClient
from watchword.events import CodeRefused, CodeReused, Events, LoggedIn
from watchword.grants.parameters import Parameters
from watchword.identity.authorization import GRANT, asks_consent
from watchword.identity.issue import IssueTokens
from watchword.identity.scopes import ScopeCatalogue
from watchword.model import CODE_PREFIX, Account, Client, Device, IdTokenRequest, IssuedTokens, Session
from watchword.storage import Database, Stores
from watchword.storage.authorization_codes import StoredCode
from watchword.storage.sessions import Lifetimes, NewSession

NAME: Final = GRANT
_REFUSED: Final = "The authorization code is invalid, expired or was used before"


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What the grant takes."""

    code: str = field(repr=False)
    redirect_uri: str
    code_verifier: str = field(repr=False)
    resource: str | None

    @classmethod
    def of(cls, parameters: Parameters) -> "CodeRequest":
        """Read the parameters.

        Raises:
            InvalidRequest: One is missing.
        """
        return cls(
            parameters.required("code"),
            parameters.required("redirect_uri"),
            parameters.required("code_verifier"),
            parameters.optional("resource"),
        )


@dataclass(frozen=True, slots=True)
class _Opened:
    session: Session
    account: Account
    handle: bytes = field(repr=False)
    code: StoredCode


@dataclass(frozen=True, slots=True)
class _Reused:
    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class AuthorizationCodeGrant:
    """A code for the tokens of a session."""

    storage: Database
    scopes: ScopeCatalogue
    issue: IssueTokens
    lifetimes: Lifetimes
    events: Events

    async def __call__(self, client: Client, parameters: Parameters, device: Device) -> IssuedTokens:
        """Redeem a code.

        Raises:
            UnauthorizedClient: The client is not registered for codes.
            InvalidRequest: The request is malformed.
            InvalidTarget: It names another resource than the code is for.
            InvalidGrant: The code is another client's, for another address or verifier, expired, used before or void;
                where it was used before, what it gave has ended.
            StorageDown: It cannot be decided now.
        """
        if NAME not in client.grants:
            raise UnauthorizedClient(f"client {client.id} asked for the authorization code grant")
        request = CodeRequest.of(parameters)
        try:
            outcome = await self._redeem(client, request)
        except InvalidGrant as refusal:
            await self.events.emit(CodeRefused(client_id=client.id, reason=refusal.detail, device=device))
            raise
        # What a second use ends is committed here. Refused inside of the transaction, it would go on.
        if isinstance(outcome, _Reused):
            event = CodeReused(
                user_id=outcome.user_id, session_id=outcome.session_id, client_id=client.id, device=device
            )
            await self.events.emit(event)
            raise _refused(f"session {outcome.session_id} has ended: its code was used again")
        session, code = outcome.session, outcome.code
        await self.events.emit(LoggedIn.of(session, session.device, amr=session.amr))
        return self.issue(
            session,
            RefreshToken(outcome.handle, 0) if "refresh_token" in client.grants else None,
            # What the code was given, as far as the user's roles and the client's registration still allow it.
            scopes=session.scopes & client.scopes & self.scopes.still_allowed(outcome.account.role_scopes),
            lifetime=client.access_token_lifetime,
            id_token=IdTokenRequest(client, code.nonce, code.claims),
            account=outcome.account,
        )

    async def _redeem(self, client: Client, request: CodeRequest) -> _Opened | _Reused:
        try:
            digest = opaque_tokens.digest(CODE_PREFIX, request.code)
        except BadOpaqueToken as error:
            raise _refused(f"no code: {error}") from None
        async with self.storage.transaction() as stores:
            code = await stores.authorization_codes.find(digest)
            if code is None:
                raise _refused("no such code")
            _check(code, client, request)
            # The user before the code, as whoever deletes a user does, who waits for their codes then.
            account = await stores.users.lock(code.user_id)
            if account is None:
                raise _refused(f"user {code.user_id} is gone")
            new_session, handle = new_id(), new_handle()
            if not await stores.authorization_codes.redeem(digest, session_id=new_session):
                return await _used_before(stores, digest)
            browser = await stores.browser_sessions.hold(code.browser_session_id)
            if browser is None:
                raise _refused(f"user {code.user_id} has logged out, or is disabled")
            await _check_consent(stores, code, client)
            new = NewSession(
                new_session,
                handle,
                client.id,
                code.scopes,
                browser.amr,
                browser.device,
                auth_time=browser.auth_time,
                browser_session_id=browser.id,
                audience=code.audience,
            )
            lifetimes = replace(self.lifetimes, idle=client.refresh_idle_lifetime or self.lifetimes.idle)
            session = await stores.sessions.add(new, account, lifetimes)
        return _Opened(session, account, handle, code)


def _check(code: StoredCode, client: Client, request: CodeRequest) -> None:
    """Whether it is for who presents it. None of this uses it up: a stranger who saw a code cannot void it."""
    if code.client_id != client.id:
        raise _refused(f"a code of client {code.client_id} came from client {client.id}")
    if code.redirect_uri != request.redirect_uri:
        raise _refused(f"client {client.id} named another redirect_uri than for the code")
    if not pkce.proves(request.code_verifier, code.code_challenge):  # RFC 7636 §4.6
        raise _refused(f"client {client.id} came with a verifier that is not the code's")
    if request.resource not in {None, code.audience}:  # RFC 8707 §2.2
        raise InvalidTarget(f"client {client.id} named another resource than for the code")


async def _used_before(stores: Stores, digest: bytes) -> _Reused:
    """RFC 6749 §4.1.2: a second use revokes what the first gave; somebody has a copy of code and verifier."""
    code = await stores.authorization_codes.find(digest)
    if code is None or code.session_id is None:
        raise _refused("the code has expired, or was taken back")
    if not await stores.sessions.end([code.session_id]):
        raise _refused(f"the code was used before, and session {code.session_id} has ended")
    return _Reused(code.user_id, code.session_id)


async def _check_consent(stores: Stores, code: StoredCode, client: Client) -> None:
    """A consent may have been taken back since; whoever does so now waits for the code, and then ends the session."""
    if not asks_consent(client, code.redirect_uri):
        return
    if not code.scopes <= await stores.consents.allowed(code.user_id, client.id):
        raise _refused(f"user {code.user_id} has taken back what client {client.id} was allowed")


def _refused(detail: str) -> InvalidGrant:
    return InvalidGrant(detail, text=_REFUSED)
