"""Follow a link that proves an address: of a sign-up, of an account, of a change."""

from dataclasses import dataclass
from typing import Final

from watchword.errors import EmailTaken, InvalidLink
from watchword.events import NOWHERE, EmailChanged, EmailVerified, Event, Events, UserRegistered
from watchword.identity.emails import parse_email
from watchword.identity.links import Links
from watchword.identity.new_account import add_account
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.model import Account, Device, NewHash, OneTimeToken, TokenPurpose
from watchword.storage import Database, Stores

_PURPOSES: Final = (TokenPurpose.SIGN_UP, TokenPurpose.VERIFY_EMAIL, TokenPurpose.CHANGE_EMAIL)


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Does what the link was made for.

    Attributes:
        default_roles: The roles of a new account.
        tells: Whether the former address is told of a change.
    """

    storage: Database
    links: Links
    outbox: Outbox
    events: Events
    default_roles: frozenset[str]
    tells: bool

    async def __call__(self, token: str, *, device: Device = NOWHERE) -> None:
        """Verify.

        Raises:
            InvalidLink: The token is not good, or not any more.
            StorageDown: The database does not answer.
        """
        try:
            async with self.storage.transaction() as stores:
                found = await self.links.find(stores, token, *_PURPOSES)
                account = await self.links.redeem(stores, found)
                if account is None:
                    happened = await self._register(stores, found, device)
                elif found.purpose is TokenPurpose.CHANGE_EMAIL:
                    happened = await self._change(stores, found, account, device)
                else:
                    await stores.users.verify_email(account.id)
                    happened = [EmailVerified(user_id=account.id, device=device)]
        except EmailTaken as error:
            raise InvalidLink(error.detail) from None
        self.outbox.wake()
        await self.events.emit(*happened)

    async def _register(self, stores: Stores, found: OneTimeToken, device: Device) -> list[Event]:
        # Whoever signs up with somebody else's address and waits gains nothing: each link sets its own sign-up's
        # password, and the first one followed voids the others.
        account = await add_account(
            stores,
            parse_email(found.payload["email"]),
            password=NewHash(**found.payload["password"]),
            profile=found.payload["profile"],
            roles=self.default_roles,
            is_email_verified=True,
        )
        if account is None:
            raise EmailTaken("the address of a sign-up has got an account meanwhile")
        await stores.one_time_tokens.discard_sign_ups(found.email)
        return [UserRegistered(user_id=account.id, device=device), EmailVerified(user_id=account.id, device=device)]

    async def _change(self, stores: Stores, found: OneTimeToken, account: Account, device: Device) -> list[Event]:
        new_email = found.payload["email"]
        await stores.users.change_email(account.id, new_email, found.email)
        await stores.one_time_tokens.discard(account.id)
        event = EmailChanged(user_id=account.id, device=device)
        if self.tells:
            values = {**event.fields(), "new_email": new_email}
            await self.outbox.put(stores, Letter("email_changed", account.email, values))
        return [event]
