"""Complete a login by its second factor."""

from dataclasses import dataclass

from watchword.errors import InvalidToken
from watchword.events import NOWHERE
from watchword.identity.browser_sessions import OpenBrowserSession, OpenedBrowserSession
from watchword.identity.open_session import OpenSession
from watchword.identity.pending import Pending
from watchword.identity.scopes import ScopeCatalogue
from watchword.identity.second_factor import CheckCode
from watchword.model import AMR_SECOND_FACTOR, BrowserSession, Client, Device, IssuedTokens


@dataclass(frozen=True, slots=True)
class VerifySecondFactor:
    """Trades a pending token and a code for a session, or for a login at our pages, once."""

    check_code: CheckCode
    scopes: ScopeCatalogue
    open_session: OpenSession
    open_browser_session: OpenBrowserSession

    async def __call__(self, pending: Pending, client: Client, code: str, *, device: Device = NOWHERE) -> IssuedTokens:
        """Trade.

        Raises:
            InvalidGrant: The code is wrong or was used before.
            InvalidToken: The pending token was traded before, is not this client's, or the account changed meanwhile.
            StorageDown: The database does not answer.
        """
        if pending.client_id != client.id:
            raise InvalidToken(f"pending token of client {pending.client_id}")
        account = pending.account
        factor = await self.check_code(account, code, device=device)
        issued = await self.open_session(
            account,
            client,
            # What the login was granted, as far as the user's roles still allow it.
            scopes=pending.scopes & self.scopes.allowed_for(account),
            amr=(*pending.amr, *AMR_SECOND_FACTOR),
            device=device,
            uses=(pending.token, factor),
        )
        if issued is None:
            raise InvalidToken(f"user {account.id} changed while a code was verified")
        return issued

    async def at_pages(
        self, pending: Pending, code: str, *, before: BrowserSession | None, device: Device = NOWHERE
    ) -> OpenedBrowserSession:
        """Trade them for a login at our pages.

        Args:
            pending: The login that waits.
            code: Of the app, or a recovery code.
            before: The login that the browser has.
            device: Where from.

        Raises:
            InvalidGrant, InvalidToken, StorageDown: As above.
        """
        factor = await self.check_code(pending.account, code, device=device)
        amr, uses = (*pending.amr, *AMR_SECOND_FACTOR), (pending.token, factor)
        opened = await self.open_browser_session(pending.account, amr=amr, device=device, uses=uses, before=before)
        if opened is None:
            raise InvalidToken(f"user {pending.account.id} changed while a code was verified")
        return opened
