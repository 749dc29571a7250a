"""Look users up."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from watchword.identity.emails import canonical_email
from watchword.model import Account
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class UserPage:
    """Some users, by their addresses.

    Attributes:
        last: The canonical address of the last one; None on an empty page.
        is_full: Whether there may be more.
    """

    accounts: Sequence[Account]
    last: str | None
    is_full: bool


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

    async def search(self, beginning: str, *, after: str | None, limit: int) -> "UserPage":
        """Users by their canonical addresses, those alone whose address begins so.

        Args:
            beginning: In upper or lower case; empty for everybody.
            after: The `last` of the page before.
            limit: How many at most.
        """
        async with self.storage.reading() as stores:
            found = await stores.users.search(beginning.lower(), after=after, limit=limit)
        return UserPage([account for _, account in found], found[-1][0] if found else None, len(found) == limit)

    async def page(self, *, after: UUID | None, limit: int) -> Sequence[Account]:
        """Users in the order they were made."""
        async with self.storage.reading() as stores:
            return await stores.users.page(after=after, limit=limit)
