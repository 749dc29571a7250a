"""Log in at our own pages."""

from dataclasses import dataclass, field

from watchword.errors import InvalidGrant
from watchword.events import NOWHERE, Events, LoginRefused
from watchword.identity.authenticate_user import AuthenticateUser
from watchword.identity.browser_sessions import OpenBrowserSession, OpenedBrowserSession
from watchword.identity.pending import SuspendLogin
from watchword.identity.second_factor import SecondFactorPolicy
from watchword.model import AMR_PASSWORD, BrowserSession, Client, Device, PendingLogin


@dataclass(frozen=True, slots=True)
class PageLogin:
    """An email and a password, and the login that the browser has already."""

    email: str
    password: str = field(repr=False)
    before: BrowserSession | None = None


@dataclass(frozen=True, slots=True)
class LogInAtPages:
    """Email and password for a browser session; where a second factor is to come, for a token that waits for it."""

    authenticate_user: AuthenticateUser
    open_browser_session: OpenBrowserSession
    suspend_login: SuspendLogin
    policy: SecondFactorPolicy
    events: Events

    async def __call__(
        self, login: PageLogin, client: Client, *, device: Device = NOWHERE
    ) -> OpenedBrowserSession | PendingLogin:
        """Log a user in.

        Args:
            login: What was typed.
            client: The first party, whose pages these are.
            device: Where from.

        Raises:
            InvalidGrant: Wrong, unknown, disabled, or no longer what was verified.
            InvalidRequest: The password is longer than any can be.
            HashingBusy, StorageDown: It cannot be decided now.
        """
        try:
            return await self._log_in(login, client, device)
        except InvalidGrant as refusal:
            await self.events.emit(LoginRefused(client_id=client.id, reason=refusal.detail, device=device))
            raise

    async def _log_in(self, login: PageLogin, client: Client, device: Device) -> OpenedBrowserSession | PendingLogin:
        # Another login may upgrade the hash meanwhile: then a second look is as good as the first.
        for _attempt in range(2):
            done = await self._try(login, client, device)
            if done is not None:
                return done
        raise InvalidGrant("an account that changed twice while its password was verified")

    async def _try(
        self, login: PageLogin, client: Client, device: Device
    ) -> OpenedBrowserSession | PendingLogin | None:
        verified = await self.authenticate_user(login.email, login.password, device=device)
        account = verified.account
        must_enrol = not account.second_factor and self.policy.demands(account)
        if must_enrol or account.second_factor:
            # Without a scope: presented elsewhere, it would give tokens that may do nothing.
            return await self.suspend_login(verified, client, scopes=frozenset(), must_enrol=must_enrol)
        return await self.open_browser_session(
            account, amr=AMR_PASSWORD, device=device, rehashed=verified.rehashed, before=login.before
        )
