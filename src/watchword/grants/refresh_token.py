"""The refresh token grant (RFC 6749 §6): each token is traded once, for an access token and its successor."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from watchword.crypto.refresh_tokens import BadRefreshToken, RefreshToken, RefreshTokenKeys
from watchword.errors import InvalidGrant, InvalidScope, InvalidTarget, UnauthorizedClient
from watchword.events import Events, RefreshRefused, SessionHealed, SessionRefreshed, SessionReused
from watchword.grants.parameters import Parameters
from watchword.identity.issue import IssueTokens
from watchword.identity.scopes import ScopeCatalogue, parse_scope
from watchword.model import FIRST_PARTY, Client, Device, IdTokenRequest, IssuedTokens
from watchword.storage import Database
from watchword.storage.hot_path import rotate
from watchword.storage.sessions import NotRotated, RefreshAttempt, Retried, Reused, Rotated

NAME: Final = "refresh_token"
_REFUSED: Final = "The refresh token is invalid, expired or was used before"


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What the grant takes."""

    refresh_token: str = field(repr=False)
    scopes: frozenset[str] | None
    resource: str | None

    @classmethod
    def of(cls, parameters: Parameters) -> "RefreshRequest":
        """Read the parameters.

        Raises:
            InvalidRequest: One is missing.
            InvalidScope: The scope is no scope.
        """
        return cls(
            parameters.required("refresh_token"),
            parse_scope(parameters.optional("scope")),
            parameters.optional("resource"),
        )


@dataclass(frozen=True, slots=True)
class RefreshTokenGrant:
    """A refresh token for new tokens of the same session.

    Attributes:
        idle_lifetime: How long the session lives without another refresh.
        leeway: How long the token that was just traded may be sent again; zero for strict single use.
    """

    storage: Database
    scopes: ScopeCatalogue
    refresh_keys: RefreshTokenKeys
    issue: IssueTokens
    events: Events
    idle_lifetime: timedelta
    leeway: timedelta

    async def __call__(self, client: Client, parameters: Parameters, device: Device) -> IssuedTokens:
        """Refresh.

        Raises:
            UnauthorizedClient: The client has no refresh tokens.
            InvalidRequest, InvalidScope: The request is malformed, or asks for more than the login was granted.
            InvalidTarget: It names another resource than the session's tokens are for.
            InvalidGrant: Another client's, ended, expired, or used before; where it was stolen, the session has ended.
            StorageDown: It cannot be decided now. Sent again within the leeway, the same token gets its answer.
        """
        if NAME not in client.grants:
            raise UnauthorizedClient(f"client {client.id} asked for the refresh grant")
        request = RefreshRequest.of(parameters)
        try:
            presented = self.refresh_keys.decode(request.refresh_token)
        except BadRefreshToken as error:
            raise await self._refused(client, device, str(error)) from None
        await self._check_bounds(request, presented, client)
        idle_lifetime = client.refresh_idle_lifetime or self.idle_lifetime
        outcome = await rotate(self.storage, RefreshAttempt(presented, client.id, device, idle_lifetime, self.leeway))
        # Whatever it was is committed here. A reuse that was refused inside of a transaction would not be revoked.
        if isinstance(outcome, NotRotated):
            raise await self._refused(client, device, outcome.reason)
        session = outcome.session
        if isinstance(outcome, Reused):
            await self.events.emit(SessionReused.of(session, device))
            raise InvalidGrant(f"session {session.id} has ended: its refresh token was reused", text=_REFUSED)
        if isinstance(outcome, Rotated) and outcome.lost_generations:
            await self.events.emit(SessionHealed.of(session, device, lost_generations=outcome.lost_generations))
        await self.events.emit(SessionRefreshed.of(session, device, retried=isinstance(outcome, Retried)))
        successor = RefreshToken(presented.handle, outcome.generation)
        # What the login was granted, or less if that is asked for, as far as roles and client still allow it.
        wanted = session.scopes if request.scopes is None else request.scopes & session.scopes
        allowed = self.scopes.still_allowed(outcome.role_scopes)
        if client.id != FIRST_PARTY:  # which is in no table, and may have whatever its user may
            allowed &= client.scopes
        return self.issue(
            session,
            successor,
            scopes=wanted & allowed,
            lifetime=client.access_token_lifetime,
            id_token=IdTokenRequest(client),
        )

    async def _check_bounds(self, request: RefreshRequest, presented: RefreshToken, client: Client) -> None:
        """Refuse more before anything is traded; what a session was granted never changes (RFC 6749 §6)."""
        if request.scopes is None and request.resource is None:
            return
        async with self.storage.reading() as stores:
            found = await stores.sessions.find(presented.handle)
        if found is None or found[0].client_id != client.id:
            return
        session = found[0]
        if request.scopes is not None and not request.scopes <= session.scopes:
            raise InvalidScope(f"session {session.id} was not granted all that a refresh asked for")
        if request.resource not in {None, session.audience}:  # RFC 8707 §2.2
            raise InvalidTarget(f"session {session.id} is for another resource than a refresh named")

    async def _refused(self, client: Client, device: Device, reason: str) -> InvalidGrant:
        await self.events.emit(RefreshRefused(client_id=client.id, reason=reason, device=device))
        return InvalidGrant(reason, text=_REFUSED)
