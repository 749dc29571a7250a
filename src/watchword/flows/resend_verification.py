"""Mail once more the link that proves an address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from watchword.identity.emails import canonical_email
from watchword.identity.even_time import EvenTime
from watchword.identity.links import Links
from watchword.identity.outbox import Outbox
from watchword.mail import Letter
from watchword.model import OneTimeToken, TokenPurpose
from watchword.storage import Database

_KIND: Final = "verify_email"


@dataclass(frozen=True, slots=True)
class ResendVerification:
    """Mails a link to an account whose address was not proved, or for the one sign-up that waits.

    Of several sign-ups that wait none is sent again: a link must not carry the password of whoever signed up with
    somebody else's address.
    """

    storage: Database
    links: Links
    outbox: Outbox
    even_time: EvenTime

    async def __call__(self, email: str) -> None:
        """Mail it, if there is anything to prove.

        Raises:
            StorageDown: The database does not answer.
        """
        async with self.even_time.kept():
            await self._resend(canonical_email(email))

    async def _resend(self, canonical: str) -> None:
        async with self.storage.transaction() as stores:
            account = await stores.users.find(canonical)
            waiting = _the_only(await stores.one_time_tokens.sign_ups(canonical))
            if account is not None and account.is_active and account.email_verified_at is None:
                purpose, whose, to, payload = TokenPurpose.VERIFY_EMAIL, account, account.email, None
            elif account is None and waiting is not None:
                purpose, whose, to, payload = TokenPurpose.SIGN_UP, None, waiting.payload["email"], waiting.payload
            else:  # to nobody, in the same time
                purpose, whose, to, payload = TokenPurpose.VERIFY_EMAIL, None, None, None
            link = await self.links.make(stores, purpose, email=canonical, account=whose, payload=payload)
            await self.outbox.put(stores, Letter(_KIND, to, link.values), lifetime=link.lifetime)
        self.outbox.wake()


def _the_only(sign_ups: Sequence[OneTimeToken]) -> OneTimeToken | None:
    """The sign-up, if all links are links of one: each has a hash with a salt of its own."""
    return sign_ups[0] if len({each.payload["password"]["encoded"] for each in sign_ups}) == 1 else None
