"""Look users up."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.identity.emails import canonical_email
from watchword.model import Account
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class FindUser:
    """Looks a user up."""

    storage: Database

    async def by_id(self, user_id: UUID) -> Account | None:
        """The user with this id; None if there is none."""
        async with self.storage.reading() as stores:
            return await stores.users.get(user_id)

    async def by_email(self, email: str) -> Account | None:
        """The user with this address, however it is written; None if there is none."""
        async with self.storage.reading() as stores:
            return await stores.users.find(canonical_email(email))

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Account]:
        """Users in the order they were made."""
        async with self.storage.reading() as stores:
            return await stores.users.page(after=after, limit=limit)
