"""The devices a user is logged in on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.model import BrowserSession, Session
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Lists the sessions of a user that are in force."""

    storage: Database

    async def __call__(self, user_id: UUID, *, before: UUID | None = None, limit: int = 100) -> Sequence[Session]:
        """A page, the newest login first.

        Args:
            user_id: Whose.
            before: The id of the last one of the page before.
            limit: How many at most.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.sessions.page(user_id, before=before, limit=limit)

    async def at_pages(self, user_id: UUID, *, limit: int = 100) -> Sequence[BrowserSession]:
        """The user's logins at our own pages, the newest first.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.storage.reading() as stores:
            return await stores.browser_sessions.page(user_id, before=None, limit=limit)
