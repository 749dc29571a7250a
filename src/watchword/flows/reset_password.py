"""Set a new password by a link."""

from dataclasses import dataclass, field

from watchword.errors import InvalidLink
from watchword.events import NOWHERE, ApiKeyRevoked, Events, PasswordReset
from watchword.identity.attempts import Attempts
from watchword.identity.authenticate_user import new_hash
from watchword.identity.hashing import HashingPool
from watchword.identity.links import Links
from watchword.identity.password_policy import PasswordPolicy
from watchword.model import AttemptKind, Device, TokenPurpose
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class PasswordResetRequest:
    """The token of the link, and the new password."""

    token: str = field(repr=False)
    new_password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Replaces a password, ends every session and token, revokes the API keys and voids the user's other links.

    It logs nobody in, so a second factor stays one. Failures to tell the old password are forgotten, so that whoever
    guessed at it does not keep the owner out; those to tell a code are not, or each reset would give more guesses.
    """

    storage: Database
    hashing: HashingPool
    policy: PasswordPolicy
    links: Links
    attempts: Attempts
    events: Events

    async def __call__(self, request: PasswordResetRequest, *, device: Device = NOWHERE) -> None:
        """Reset it.

        Raises:
            InvalidLink: The token is not good, or not any more.
            WeakPassword: The new password does not meet the policy. The link stays good.
            HashingBusy: The queue is full. The link stays good.
            StorageDown: The database does not answer.
        """
        async with self.hashing.place() as place:
            async with self.storage.reading() as stores:
                found = await self.links.find(stores, request.token, TokenPurpose.RESET_PASSWORD)
            await self.policy.check(request.new_password, email=found.email)
            hashed = new_hash(await place.hash(request.new_password))
        async with self.storage.transaction() as stores:
            account = await self.links.redeem(stores, found)
            if account is None:
                raise InvalidLink("a link to nobody")
            await stores.users.reset_password(account.id, hashed, email_proved=found.payload["is_mailed"])
            revoked = await stores.api_keys.revoke_all(account.id)
            await stores.one_time_tokens.discard(account.id)
            await self.attempts.lift(stores, AttemptKind.PASSWORD, found.email)
            await self.attempts.lift(stores, AttemptKind.CURRENT_PASSWORD, str(account.id))
        await self.events.emit(PasswordReset(user_id=account.id, device=device))
        for key in revoked:
            await self.events.emit(ApiKeyRevoked.of(key, device))
