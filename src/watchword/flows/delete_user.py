"""Delete a user."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Deletes a user and whatever of Watchword's belongs to them."""

    storage: Database

    async def __call__(self, user_id: UUID) -> None:
        """Delete.

        Raises:
            NotFound: There is no such user.
            StillReferenced: A table of the host refers to the user.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            deleted = await stores.users.delete(user_id)
        if not deleted:
            raise NotFound(f"no user {user_id}")
