"""Refreshing a session: the one statement by itself where it suffices, a transaction where there is more to decide."""

from watchword.storage.database import Database
from watchword.storage.direct import Prepared
from watchword.storage.sessions import ROTATE, ROTATED, RefreshAttempt, RotationOutcome


class Rotation:
    """Trades a refresh token for its successor.

    Args:
        database: Where the session is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rotate = Prepared(ROTATE, ROTATED, database.engine.dialect)

    async def __call__(self, attempt: RefreshAttempt) -> RotationOutcome:
        """Rotate; what is returned is committed, a revocation after a reuse too.

        Raises:
            StorageDown: It cannot be decided now. It may have been rotated: within the leeway, the same token still
                gets its successor.
        """
        row = await self._database.send(self._rotate, attempt.parameters)
        if row is not None:
            return attempt.rotated(row)
        async with self._database.transaction() as stores:  # it tries again, then reads why it was not rotated
            return await stores.sessions.rotate(attempt)
