"""After a restored backup: end whatever was issued, for the database no longer knows what was revoked."""

from dataclasses import dataclass

from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended."""

    sessions: int
    users: int
    api_keys: int


@dataclass(frozen=True, slots=True)
class EndEverything:
    """Ends every session, token and API key of everybody. Users log in again; keys have to be made anew."""

    storage: Database

    async def __call__(self, *, keep_api_keys: bool = False) -> Ended:
        """End it all, in one transaction.

        Args:
            keep_api_keys: Whether keys stay good, those too that were revoked since the backup was made.

        Raises:
            StorageDown: The database does not answer; nothing was changed.
        """
        async with self.storage.transaction() as stores:
            ended = Ended(
                await stores.sessions.end_all(),
                await stores.users.end_all_tokens(),
                0 if keep_api_keys else await stores.api_keys.end_all(),
            )
            await stores.revocations.everything()
        return ended
