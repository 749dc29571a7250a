"""The resource owner password credentials grant (RFC 6749 §4.3), for the first party alone."""

from dataclasses import dataclass, field
from typing import Final

from watchword.errors import InvalidGrant, InvalidTarget, UnauthorizedClient
from watchword.events import Events, LoginRefused
from watchword.grants.parameters import Parameters
from watchword.identity.authenticate_user import AuthenticateUser, PasswordVerified
from watchword.identity.open_session import OpenSession
from watchword.identity.pending import SuspendLogin
from watchword.identity.scopes import ScopeCatalogue, parse_scope
from watchword.identity.second_factor import SecondFactorPolicy
from watchword.model import AMR_PASSWORD, AMR_SECOND_FACTOR, Client, Device, IssuedTokens, PendingLogin

NAME: Final = "password"


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    """What the grant takes. `username` is an email; the name is OAuth's. `otp` is ours: a code, if there is one yet."""

    username: str
    password: str = field(repr=False)
    otp: str | None = field(repr=False)
    scopes: frozenset[str] | None

    @classmethod
    def of(cls, parameters: Parameters) -> "PasswordRequest":
        """Read the parameters.

        Raises:
            InvalidRequest: One is missing.
            InvalidScope: The scope is no scope.
            InvalidTarget: It names a resource: the first party's tokens are for this installation (RFC 8707 §2).
        """
        if parameters.optional("resource") is not None:
            raise InvalidTarget("the first party asked for another resource")
        return cls(
            parameters.required("username"),
            parameters.required("password"),
            parameters.optional("otp"),
            parse_scope(parameters.optional("scope")),
        )


@dataclass(frozen=True, slots=True)
class PasswordGrant:
    """Email and password for tokens; where a second factor is to come, for a token that waits for it."""

    authenticate_user: AuthenticateUser
    scopes: ScopeCatalogue
    open_session: OpenSession
    suspend_login: SuspendLogin
    policy: SecondFactorPolicy
    events: Events

    async def __call__(self, client: Client, parameters: Parameters, device: Device) -> IssuedTokens | PendingLogin:
        """Log a user in.

        Raises:
            UnauthorizedClient: The client is a third party (RFC 9700 §2.4).
            InvalidRequest, InvalidScope, InvalidTarget: The request is malformed or asks for what there is not.
            InvalidGrant: Wrong, unknown, disabled, or no longer what was verified.
            HashingBusy, StorageDown: It cannot be decided now.
        """
        if NAME not in client.grants:
            raise UnauthorizedClient(f"client {client.id} asked for the password grant")
        request = PasswordRequest.of(parameters)
        try:
            return await self._log_in(client, request, device)
        except InvalidGrant as refusal:
            await self.events.emit(LoginRefused(client_id=client.id, reason=refusal.detail, device=device))
            raise

    async def _log_in(self, client: Client, request: PasswordRequest, device: Device) -> IssuedTokens | PendingLogin:
        # While a hash is computed the account may change. Where only another login upgraded the hash, a second look is
        # as good as the first; where the user was disabled or has a new password, it is refused there.
        for _attempt in range(2):
            verified = await self.authenticate_user(request.username, request.password, code=request.otp, device=device)
            granted = self.scopes.grant(request.scopes, allowed=self.scopes.allowed_for(verified.account))
            answer = await self._answer(client, verified, granted, device)
            if answer is not None:
                return answer
        raise InvalidGrant(f"user {verified.account.id} changed twice while the password was verified")

    async def _answer(
        self, client: Client, verified: PasswordVerified, granted: frozenset[str], device: Device
    ) -> IssuedTokens | PendingLogin | None:
        account, factor = verified.account, verified.factor
        must_enrol = not account.second_factor and self.policy.demands(account)
        if must_enrol or (account.second_factor and factor is None):
            return await self.suspend_login(verified, client, scopes=granted, must_enrol=must_enrol)
        return await self.open_session(
            account,
            client,
            scopes=granted,
            amr=AMR_PASSWORD if factor is None else AMR_PASSWORD + AMR_SECOND_FACTOR,
            device=device,
            rehashed=verified.rehashed,
            uses=() if factor is None else (factor,),
        )
