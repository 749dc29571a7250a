"""Mail and logout notices that were not sent, for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from watchword.errors import NotFound
from watchword.model import OutboxEntry
from watchword.storage import Database

_RETRIED_FOR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ManageOutbox:
    """Lists what waits and what was given up, and has it tried again. Each method raises `StorageDown`."""

    storage: Database

    async def page(self, *, after: UUID | None = None, limit: int = 100) -> Sequence[OutboxEntry]:
        """Some of it, the oldest first.

        Args:
            after: The id of the last one of the page before.
            limit: How many at most.
        """
        async with self.storage.reading() as stores:
            mail = await stores.outbox.page(after_id=after, limit=limit)
            notices = await stores.logout_notices.page(after_id=after, limit=limit)
        return sorted([*mail, *notices], key=lambda entry: entry.id)[:limit]

    async def retry(self, entry_id: UUID | None = None) -> int:
        """Have one tried again, or all that were given up; how many. A running app sends them.

        Raises:
            NotFound: There is no such mail.
        """
        async with self.storage.transaction() as stores:
            retried = await stores.outbox.retry(entry_id, lifetime=_RETRIED_FOR)
            retried += await stores.logout_notices.retry(entry_id)
        if entry_id is not None and not retried:
            raise NotFound(f"no mail {entry_id}", text="There is no such mail in the outbox")
        return retried
