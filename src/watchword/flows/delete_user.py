"""Delete a user."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, By, Events, UserDeleted
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Deletes a user and whatever of Watchword's belongs to them."""

    storage: Database
    events: Events

    async def __call__(self, user_id: UUID, *, by: By = OPERATOR) -> None:
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
        await self.events.emit(UserDeleted(user_id=user_id, actor=by.actor, device=by.device))
