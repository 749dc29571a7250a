"""An account that was verified → a session, and its first tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from watchword.crypto.ids import new_id
from watchword.crypto.refresh_tokens import RefreshToken, new_handle
from watchword.events import Event, Events, LoggedIn
from watchword.identity.issue import IssueTokens
from watchword.identity.second_factor import SingleUse, use_up
from watchword.model import Account, Client, Device, IssuedTokens, NewHash
from watchword.storage import Database
from watchword.storage.hot_path import open_session
from watchword.storage.sessions import Lifetimes, NewSession


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Completes a login."""

    storage: Database
    issue: IssueTokens
    lifetimes: Lifetimes
    events: Events

    async def __call__(
        self,
        account: Account,
        client: Client,
        *,
        scopes: frozenset[str],
        amr: tuple[str, ...],
        device: Device,
        rehashed: NewHash | None = None,
        uses: Sequence[SingleUse] = (),
    ) -> IssuedTokens | None:
        """Open a session, if the account still is what it was when it was verified.

        Args:
            account: As it was read then.
            client: Whom the tokens are for.
            scopes: What was granted.
            amr: How the user authenticated (RFC 8176).
            device: Where the login comes from.
            rehashed: What replaces a weaker hash of the password.
            uses: What the login uses up: a code, a pending token.

        Returns:
            None if the account changed or is gone.

        Raises:
            InvalidGrant, InvalidToken: Another request used up the code, or the pending token.
            StorageDown: The database does not answer.
        """
        handle = new_handle()
        new = NewSession(new_id(), handle, client.id, scopes, amr, device)
        lifetimes = replace(self.lifetimes, idle=client.refresh_idle_lifetime or self.lifetimes.idle)
        happened: Sequence[Event] = ()
        if not uses:
            session = await open_session(self.storage, account, new, lifetimes, rehashed=rehashed)
            if session is None:
                return None
        else:
            async with self.storage.transaction() as stores:
                # It locks the account's row: nobody disables the user between this check and the session.
                if not await stores.users.record_login(account, rehashed=rehashed):
                    return None
                happened = await use_up(stores, account.id, uses, device=device)
                session = await stores.sessions.add(new, account, lifetimes)
        await self.events.emit(*happened)
        await self.events.emit(LoggedIn.of(session, device, amr=amr))
        return self.issue(session, RefreshToken(handle, 0), lifetime=client.access_token_lifetime)
