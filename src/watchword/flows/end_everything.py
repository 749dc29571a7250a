"""After a restored backup: end whatever was issued, for the database no longer knows what was revoked."""

from dataclasses import dataclass

from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended."""

    sessions: int
    users: int


@dataclass(frozen=True, slots=True)
class EndEverything:
    """Ends every session and every token of everybody. Users log in again."""

    storage: Database

    async def __call__(self) -> Ended:
        """End it all, in one transaction.

        Raises:
            StorageDown: The database does not answer; nothing was changed.
        """
        async with self.storage.transaction() as stores:
            ended = Ended(await stores.sessions.end_all(), await stores.users.end_all_tokens())
            await stores.revocations.everything()
        return ended
