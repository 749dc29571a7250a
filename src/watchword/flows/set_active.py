"""Disable and enable a user."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, By, Events, UserDisabled, UserEnabled
from watchword.model import Account
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class SetActive:
    """Disables or enables a user. Disabling ends every token."""

    storage: Database
    events: Events

    async def __call__(self, user_id: UUID, *, active: bool, by: By = OPERATOR) -> Account:
        """Set it.

        Raises:
            NotFound: There is no such user.
            StorageDown: The database does not answer.
        """
        async with self.storage.transaction() as stores:
            changed = await stores.users.set_active(user_id, active=active)
            account = changed or await stores.users.get(user_id)
        if account is None:
            raise NotFound(f"no user {user_id}")
        if changed is not None:
            event = UserEnabled if active else UserDisabled
            await self.events.emit(event(user_id=user_id, actor=by.actor, device=by.device))
        return account
