"""Tell clients that sessions have ended, in the background (OpenID Connect Back-Channel Logout)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from watchword.background import AT_ONCE, LEASE, Bell, delay_after, emptying
from watchword.events import Events, LogoutNoticeDelayed, LogoutNoticeFailed, LogoutNoticeSent
from watchword.identity.backchannel import NotTold
from watchword.identity.issue import IssueTokens
from watchword.storage import Database
from watchword.storage.logout_notices import LogoutNotice

_log: Final = logging.getLogger("watchword.logout")
_EVERY_SECONDS: Final = 5

Tell = Callable[[str, str], Awaitable[None]]
"""Sends a logout token to an address, or raises `NotTold`."""


@dataclass(frozen=True, slots=True)
class SendLogoutNotices:
    """Sends what is due. A process that dies between sending and noting it sends that notice twice; none is lost.

    Attributes:
        bell: Is rung where a session has ended.
    """

    storage: Database
    issue: IssueTokens
    tell: Tell
    events: Events
    bell: Bell

    async def __call__(self) -> int:
        """Send up to ten notices at once; how many were tried.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            if not await stores.logout_notices.is_anything_due():
                return 0
        async with self.storage.transaction() as stores:
            late = await stores.logout_notices.expire(limit=AT_ONCE)
            claimed = await stores.logout_notices.claim(lease=LEASE, limit=AT_ONCE)
        for notice in late:
            await self.events.emit(
                LogoutNoticeFailed(
                    user_id=notice.user_id,
                    client_id=notice.client_id,
                    session_id=notice.session_id,
                    attempts=notice.attempts,
                )
            )
        await asyncio.gather(*(self._send(notice) for notice in claimed))
        return len(late) + len(claimed)

    async def _send(self, notice: LogoutNotice) -> None:
        user_id, client_id, session_id = notice.user_id, notice.client_id, notice.session_id
        try:
            if notice.uri is not None:
                await self.tell(notice.uri, self.issue.logout_token(session_id, user_id, client_id, notice.algorithm))
        except NotTold as error:
            delay = delay_after(notice.attempts)
            async with self.storage.transaction() as stores:
                await stores.logout_notices.put_off(notice, str(error), delay=delay)
            await self.events.emit(
                LogoutNoticeDelayed(
                    user_id=user_id,
                    client_id=client_id,
                    session_id=session_id,
                    attempts=notice.attempts,
                    reason=str(error),
                )
            )
            return
        async with self.storage.transaction() as stores:
            await stores.logout_notices.remove(session_id)
        if notice.uri is not None:
            await self.events.emit(LogoutNoticeSent(user_id=user_id, client_id=client_id, session_id=session_id))


@asynccontextmanager
async def telling_clients(send: SendLogoutNotices, *, every: float = _EVERY_SECONDS) -> AsyncIterator[None]:
    """Send at once what this process hears of, and every so many seconds what others left, within a block."""
    async with emptying(send.__call__, send.bell, every=every, name="logout notices", log=_log):
        yield
