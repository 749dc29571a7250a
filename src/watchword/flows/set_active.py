"""Disable and enable a user."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.model import Account
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class SetActive:
    """Disables or enables a user. Disabling ends every token."""

    storage: Database

    async def __call__(self, user_id: UUID, *, active: bool) -> Account:
        """Set it.

        Raises:
            NotFound: There is no such user.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            account = await stores.users.set_active(user_id, active=active)
        if account is None:
            raise NotFound(f"no user {user_id}")
        return account
