"""Logins at our own pages: opened by a person, kept by a cookie, accepted by no guard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from watchword.crypto import opaque_tokens
from watchword.crypto.ids import new_id
from watchword.events import Events, LoggedInAtPages
from watchword.identity.second_factor import SingleUse, use_up
from watchword.model import Account, BrowserSession, Device, NewHash
from watchword.storage import Database
from watchword.storage.browser_sessions import USED_AGAIN_AFTER, NewBrowserSession
from watchword.storage.sessions import Lifetimes

COOKIE_PREFIX: Final = "wwb_"
"""What the value of the cookie begins with."""


@dataclass(frozen=True, slots=True)
class OpenedBrowserSession:
    """A login at our pages that was just made.

    Attributes:
        cookie: Its secret. It is in this value and in the browser, and nowhere else.
    """

    session: BrowserSession
    cookie: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenBrowserSession:
    """Completes a login at our pages."""

    storage: Database
    lifetimes: Lifetimes
    events: Events

    async def __call__(
        self,
        account: Account,
        *,
        amr: tuple[str, ...],
        device: Device,
        rehashed: NewHash | None = None,
        uses: Sequence[SingleUse] = (),
        before: BrowserSession | None = None,
    ) -> OpenedBrowserSession | None:
        """Open a browser session, if the account still is what it was when it was verified.

        Args:
            account: As it was read then.
            amr: How the user authenticated (RFC 8176).
            device: Where the login comes from.
            rehashed: What replaces a weaker hash of the password.
            uses: What the login uses up: a code, a pending token.
            before: The login that the browser has. Of the same user it goes on, with another cookie: clients keep what
                they have.

        Returns:
            None if the account changed or is gone.

        Raises:
            InvalidGrant, InvalidToken: Another request used up the code, or the pending token.
            StorageDown: The database does not answer.
        """
        cookie = opaque_tokens.new(COOKIE_PREFIX)
        new = NewBrowserSession(new_id(), opaque_tokens.digest(COOKIE_PREFIX, cookie), amr, device)
        async with self.storage.transaction() as stores:
            # It locks the account's row: nobody disables the user between this check and the session.
            if not await stores.users.record_login(account, rehashed=rehashed):
                return None
            happened = await use_up(stores, account.id, uses, device=device)
            session = None
            if before is not None and before.user_id == account.id:
                session = await stores.browser_sessions.renew(before.id, new, self.lifetimes)
            if session is None:
                session = await stores.browser_sessions.add(new, account, self.lifetimes)
        logged_in = LoggedInAtPages(user_id=account.id, browser_session_id=session.id, amr=amr, device=device)
        await self.events.emit(*happened, logged_in)
        return OpenedBrowserSession(session, cookie)


@dataclass(frozen=True, slots=True)
class FindBrowserSession:
    """The login at our pages that a cookie stands for.

    Attributes:
        idle: How long it lives without being used, which is noted once an hour.
    """

    storage: Database
    idle: timedelta

    async def __call__(self, cookie: str | None) -> BrowserSession | None:
        """Look. None if there is no cookie, or what it stood for has ended.

        Raises:
            StorageDown: The database does not answer.
        """
        try:
            digest = opaque_tokens.digest(COOKIE_PREFIX, cookie or "")
        except opaque_tokens.BadOpaqueToken:
            return None
        async with self.storage.reading() as stores:
            session = await stores.browser_sessions.find(digest)
        if session is not None and datetime.now(UTC) - session.last_used_at > USED_AGAIN_AFTER:
            async with self.storage.transaction() as stores:
                await stores.browser_sessions.touch(session.id, idle=self.idle)
        return session
