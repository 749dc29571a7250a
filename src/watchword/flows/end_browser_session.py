"""Log out of our pages, and with that of every client that was logged in to through them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.background import Bell
from watchword.events import OPERATOR, By, Events, SessionEnded
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class EndBrowserSession:
    """Ends logins at our pages, and the sessions that they gave to clients. Raises `StorageDown`.

    Attributes:
        bell: Is rung, since clients are told even where no session ends.
    """

    storage: Database
    events: Events
    bell: Bell

    async def __call__(self, user_id: UUID, browser_session_ids: Sequence[UUID], *, by: By = OPERATOR) -> None:
        """End those of one user that are given. Sessions with `offline_access` go on (OpenID Connect Core §11)."""
        async with self.storage.transaction() as stores:
            ended = await stores.browser_sessions.end(browser_session_ids, user_id=user_id)
            sessions = await stores.sessions.end_of_browser(ended)
        self.bell.ring()
        await self.events.emit(*SessionEnded.each(user_id, sessions, by))
