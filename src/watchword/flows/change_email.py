"""Ask for another address; it is changed once that one is proved."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword.crypto.passwords import decoy
from watchword.errors import WrongPassword
from watchword.events import NOWHERE, EmailChangeRequested, Events
from watchword.identity.attempts import Attempts
from watchword.identity.authenticate_user import refuse_endless
from watchword.identity.emails import parse_email
from watchword.identity.hashing import HashingPool
from watchword.identity.links import Links
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.model import Account, AttemptKind, Device, TokenPurpose
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
    attempts: Attempts
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
            counted = (AttemptKind.CURRENT_PASSWORD, str(account.id))
            await self.attempts.admit(*counted)
            stored = account.password_hash or decoy(self.hashing.hasher.scheme)
            if not (await place.verify(request.password, stored)).matches:
                await self.attempts.failed(*counted, user_id=account.id, device=device)
                raise WrongPassword(f"wrong password for user {account.id}")
            await self.attempts.succeeded(*counted)
        return account
