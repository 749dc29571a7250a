"""After a restored backup: end whatever was issued, for the database no longer knows what was revoked."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from watchword.crypto import totp
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended."""

    sessions: int
    users: int
    api_keys: int
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class EndEverything:
    """Ends every session, token, link, API key and recovery code of everybody, and the one-time codes of this minute.

    Users log in again; keys and recovery codes have to be made anew.

    Attributes:
        clock: Unix time in seconds.
    """

    storage: Database
    clock: Callable[[], float] = time.time

    async def __call__(self, *, keep_api_keys: bool = False, keep_recovery_codes: bool = False) -> Ended:
        """End it all, in one transaction.

        Args:
            keep_api_keys: Whether keys stay good, those too that were revoked since the backup was made.
            keep_recovery_codes: Whether recovery codes stay good, those too that were used since.

        Raises:
            StorageDown: The database does not answer; nothing was changed.
        """
        async with self.storage.transaction() as stores:
            ended = Ended(
                await stores.sessions.end_all(),
                await stores.users.end_all_tokens(),
                0 if keep_api_keys else await stores.api_keys.end_all(),
                0 if keep_recovery_codes else await stores.second_factors.void_recovery_codes(),
            )
            await stores.second_factors.use_all(totp.last_step_taken(self.clock()))
            await stores.browser_sessions.end_all()
            await stores.one_time_tokens.discard_all()
            await stores.revocations.everything()
        return ended
