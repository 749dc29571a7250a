"""Ask for another address; it is changed once that one is proved."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword.errors import WrongPassword
from watchword.events import NOWHERE, EmailChangeRequested, Events
from watchword.identity.emails import parse_email
from watchword.identity.links import Links
from watchword.identity.outbox import Outbox
from watchword.identity.reauthenticate import Reauthenticate
from watchword.mail import Letter
from watchword.model import Device, TokenPurpose
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class EmailChange:
    """The new address, the password, and a code of a user who has a second factor."""

    user_id: UUID
    new_email: str
    password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    """Mails a link to the new address, and tells the old one. Whether the new one has an account shows nowhere."""

    storage: Database
    reauthenticate: Reauthenticate
    links: Links
    outbox: Outbox
    events: Events

    async def __call__(self, request: EmailChange, *, device: Device = NOWHERE) -> None:
        """Ask for it.

        Raises:
            InvalidInput: The new address is none.
            WrongPassword: The password is not right, or the account changed meanwhile.
            InvalidGrant: There is a second factor, and the code is not one of it.
            TooManyAttempts: One of them was wrong too often.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        new = parse_email(request.new_email)
        again = await self.reauthenticate(request.user_id, request.password, request.code, device=device)
        async with self.storage.transaction() as stores:
            happened = await again.hold(stores, device=device)
            account = await stores.users.get(again.account.id)
            if account is None or account.email != again.account.email:
                raise WrongPassword(f"user {again.account.id} changed while the password was verified")
            owner = await stores.users.find(new.canonical)
            payload = {"email": new.written}
            link = await self.links.make(
                stores, TokenPurpose.CHANGE_EMAIL, email=new.canonical, account=account, payload=payload
            )
            if owner is None or owner.id == account.id:
                letter = Letter("change_email", new.written, link.values)
            else:  # the link is nobody's
                letter = Letter("address_in_use", owner.email)
            await self.outbox.put(stores, letter, lifetime=link.lifetime)
            asked = EmailChangeRequested(user_id=account.id, device=device)
            values = {**asked.fields(), "new_email": new.written}
            await self.outbox.put(stores, Letter("change_email_requested", account.email, values))
        self.outbox.wake()
        await self.events.emit(*happened, asked)
