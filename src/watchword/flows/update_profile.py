"""Change the host's own fields of a user."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from watchword.errors import NotFound
from watchword.identity.profiles import validate_profile
from watchword.model import Account
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Merges fields into a profile (RFC 7396 at the first level): a null takes a field back to its default."""

    storage: Database
    profile: type[BaseModel]

    async def __call__(self, user_id: UUID, changes: Mapping[str, Any]) -> Account:
        """Update.

        Raises:
            InvalidInput: The result does not fit the host's model; nothing is changed.
            NotFound: There is no such user.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            account = await stores.users.lock(user_id)  # two updates at once must not lose one another's fields
            if account is None:
                raise NotFound(f"no user {user_id}")
            merged = {name: value for name, value in {**account.profile, **changes}.items() if value is not None}
            updated = await stores.users.set_profile(user_id, validate_profile(self.profile, merged))
        if updated is None:
            raise NotFound(f"no user {user_id}")
        return updated
