"""Ask for a new password."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from watchword.errors import NotFound
from watchword.events import OPERATOR, By, Events, PasswordResetRequested
from watchword.identity.emails import canonical_email
from watchword.identity.even_time import EvenTime
from watchword.identity.links import Link, Links
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.model import Account, TokenPurpose
from watchword.storage import Database, Stores

_KIND: Final = "reset_password"


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Makes a link that sets a new password. Each method raises `StorageDown` where the database does not answer."""

    storage: Database
    links: Links
    outbox: Outbox
    events: Events
    even_time: EvenTime

    async def by_email(self, email: str, *, by: By = OPERATOR) -> None:
        """Mail it to the stored address of whoever has this one; to nobody, in the same time, where nobody has."""
        async with self.even_time.kept():
            await self._by_email(canonical_email(email), by)

    async def _by_email(self, canonical: str, by: By) -> None:
        async with self.storage.transaction() as stores:
            found = await stores.users.find(canonical)
            account = found if found is not None and found.is_active else None
            link = await self._link(stores, canonical, account, is_mailed=True)
            letter = Letter(_KIND, None if account is None else account.email, link.values)
            await self.outbox.put(stores, letter, lifetime=link.lifetime)
        await self._requested(account, by)

    async def by_mail(self, user_id: UUID, *, by: By = OPERATOR) -> None:
        """Mail it to a user.

        Raises:
            NotFound: There is no such user, or they are disabled.
        """
        async with self.storage.transaction() as stores:
            account = await _active(stores, user_id)
            link = await self._link(stores, canonical_email(account.email), account, is_mailed=True)
            await self.outbox.put(stores, Letter(_KIND, account.email, link.values), lifetime=link.lifetime)
        await self._requested(account, by)

    async def link(self, user_id: UUID, *, by: By = OPERATOR) -> Link:
        """Make it, for an operator to hand over.

        Raises:
            NotFound: There is no such user, or they are disabled.
        """
        async with self.storage.transaction() as stores:
            account = await _active(stores, user_id)
            link = await self._link(stores, canonical_email(account.email), account, is_mailed=False)
        await self._requested(account, by)
        return link

    async def _link(self, stores: Stores, email: str, account: Account | None, *, is_mailed: bool) -> Link:
        payload = {"is_mailed": is_mailed}
        return await self.links.make(stores, TokenPurpose.RESET_PASSWORD, email=email, account=account, payload=payload)

    async def _requested(self, account: Account | None, by: By) -> None:
        self.outbox.wake()
        user_id = None if account is None else account.id
        await self.events.emit(PasswordResetRequested(user_id=user_id, actor=by.actor, device=by.device))


async def _active(stores: Stores, user_id: UUID) -> Account:
    account = await stores.users.get(user_id)
    if account is None or not account.is_active:
        raise NotFound(f"no active user {user_id}", text="There is no such user, or they are disabled")
    return account
