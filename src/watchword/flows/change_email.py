"""Ask for another address; it is changed once that one is proved."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword.errors import WrongPassword
from watchword.events import NOWHERE, EmailChangeRequested, Events
from watchword.identity.authenticate_user import refuse_endless
from watchword.identity.current_password import CheckCurrentPassword
from watchword.identity.emails import parse_email
from watchword.identity.hashing import HashingPool
from watchword.identity.links import Links
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.model import Account, Device, TokenPurpose
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class EmailChange:
    """The new address, and the password."""

    user_id: UUID
    new_email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    """Mails a link to the new address, and tells the old one. Whether the new one has an account shows nowhere."""

    storage: Database
    hashing: HashingPool
    check_password: CheckCurrentPassword
    links: Links
    outbox: Outbox
    events: Events

    async def __call__(self, request: EmailChange, *, device: Device = NOWHERE) -> None:
        """Ask for it.

        Raises:
            InvalidInput: The new address is none.
            WrongPassword: The password is not right, or the account changed meanwhile.
            TooManyAttempts: The password was wrong too often.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        new = parse_email(request.new_email)
        account = await self._verify(request, device)
        async with self.storage.transaction() as stores:
            current = await stores.users.lock(account.id)
            if current is None or (current.token_epoch, current.email) != (account.token_epoch, account.email):
                raise WrongPassword(f"user {account.id} changed while the password was verified")
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
            event = EmailChangeRequested(user_id=account.id, device=device)
            values = {**event.fields(), "new_email": new.written}
            await self.outbox.put(stores, Letter("change_email_requested", account.email, values))
        self.outbox.wake()
        await self.events.emit(event)

    async def _verify(self, request: EmailChange, device: Device) -> Account:
        refuse_endless(request.password)
        async with self.hashing.place() as place:
            async with self.storage.reading() as stores:
                account = await stores.users.get(request.user_id)
            if account is None:
                raise WrongPassword("the user is gone")
            await self.check_password(place, account, request.password, device=device)
        return account
