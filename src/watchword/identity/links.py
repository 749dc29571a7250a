"""Links that are good once: made, mailed, redeemed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from watchword.crypto import opaque_tokens
from watchword.crypto.ids import new_id
from watchword.errors import InvalidLink
from watchword.identity.emails import canonical_email
from watchword.model import ONE_TIME_PREFIX, Account, OneTimeToken, TokenPurpose
from watchword.storage import Stores
from watchword.storage.one_time_tokens import NewOneTimeToken

LIFETIMES: Final[Mapping[TokenPurpose, timedelta]] = {
    TokenPurpose.SIGN_UP: timedelta(days=1),
    TokenPurpose.VERIFY_EMAIL: timedelta(days=1),
    TokenPurpose.CHANGE_EMAIL: timedelta(hours=1),
    TokenPurpose.RESET_PASSWORD: timedelta(minutes=10),
}
_IN_WORDS: Final = {timedelta(days=1): "a day", timedelta(hours=1): "an hour", timedelta(minutes=10): "10 minutes"}


@dataclass(frozen=True, slots=True)
class Link:
    """A new link.

    Attributes:
        url: What to follow; its token is stored as a digest alone.
    """

    url: str = field(repr=False)
    lifetime: timedelta

    @property
    def values(self) -> Mapping[str, str]:
        """What a template says of it."""
        return {"link": self.url, "lifetime": _IN_WORDS[self.lifetime]}


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links to the pages of the front end, and redeems their tokens.

    Attributes:
        verification_url: With `{token}` in the fragment.
        reset_url: The same.
    """

    verification_url: str
    reset_url: str

    async def make(
        self,
        stores: Stores,
        purpose: TokenPurpose,
        *,
        email: str,
        account: Account | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> Link:
        """Make a link within a transaction.

        Args:
            stores: The transaction's.
            purpose: What it is good for.
            email: The canonical address that it proves.
            account: Whose it is. It is good while they have the address and the `token_epoch` that they have now.
            payload: What redeeming it needs to know.
        """
        token = opaque_tokens.new(ONE_TIME_PREFIX)
        bound = {} if account is None else {"bound_to": _state(account)}
        await stores.one_time_tokens.add(
            NewOneTimeToken(
                id=new_id(),
                purpose=purpose,
                user_id=None if account is None else account.id,
                digest=opaque_tokens.digest(ONE_TIME_PREFIX, token),
                email=email,
                payload={**(payload or {}), **bound},
                lifetime=LIFETIMES[purpose],
            )
        )
        page = self.reset_url if purpose is TokenPurpose.RESET_PASSWORD else self.verification_url
        return Link(page.replace("{token}", token), LIFETIMES[purpose])

    async def find(self, stores: Stores, token: str, *purposes: TokenPurpose) -> OneTimeToken:
        """Look at a token without using it up.

        Raises:
            InvalidLink: It is good for none of these purposes.
        """
        try:
            digest = opaque_tokens.digest(ONE_TIME_PREFIX, token)
        except opaque_tokens.BadOpaqueToken as error:
            raise InvalidLink(f"no one-time token: {error}") from None
        found = await stores.one_time_tokens.find(digest, purposes)
        if found is None:
            raise InvalidLink("there is no such one-time token, or not for this")
        return found

    async def redeem(self, stores: Stores, found: OneTimeToken) -> Account | None:
        """Use a token up, in a transaction that ends with what it was made for.

        Returns:
            The account it belongs to, its row held; None for a sign-up.

        Raises:
            InvalidLink: It was used meanwhile, or the account is not what it was when the link was made.
        """
        # First the row that others who redeem would change too, then the token: nobody waits in a circle.
        account = None
        if found.user_id is not None:
            account = await stores.users.lock(found.user_id)
        else:
            await stores.one_time_tokens.sign_ups(found.email, hold=True)
        if not await stores.one_time_tokens.take(found.id):
            raise InvalidLink("the one-time token was used")
        if found.user_id is not None and (
            account is None or not account.is_active or _state(account) != found.payload["bound_to"]
        ):
            raise InvalidLink(f"user {found.user_id} has changed since the link was made")
        return account


def _state(account: Account) -> list[Any]:
    """What must not change between a link and its use: a new password, or another address, voids it."""
    return [account.token_epoch, canonical_email(account.email)]
