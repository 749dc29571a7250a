"""Change one's own password."""

from dataclasses import dataclass, field
from uuid import UUID

from watchword.errors import WrongPassword
from watchword.events import NOWHERE, ApiKeyRevoked, Events, PasswordChanged
from watchword.identity.authenticate_user import new_hash, refuse_endless
from watchword.identity.current_password import CheckCurrentPassword
from watchword.identity.hashing import HashingPool
from watchword.identity.password_policy import PasswordPolicy
from watchword.model import Device
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """The current password and the new one."""

    user_id: UUID
    current: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Replaces a password, ends every token that was issued before and revokes the user's API keys.

    Whoever had the old password may have made a key that outlives it.
    """

    storage: Database
    hashing: HashingPool
    policy: PasswordPolicy
    check_password: CheckCurrentPassword
    events: Events

    async def __call__(self, request: PasswordChange, *, device: Device = NOWHERE) -> None:
        """Change it.

        Raises:
            WrongPassword: The current one is not right, or the account changed meanwhile.
            WeakPassword: The new one does not meet the policy.
            TooManyAttempts: The current one was wrong too often.
            InvalidRequest: The current one is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        refuse_endless(request.current)
        async with self.hashing.place() as place:
            async with self.storage.reading() as stores:
                account = await stores.users.get(request.user_id)
            if account is None:
                raise WrongPassword("the user is gone")
            await self.policy.check(request.new, email=account.email)
            await self.check_password(place, account, request.current, device=device)
            hashed = new_hash(await place.hash(request.new))
        async with self.storage.transaction() as stores:
            # Only the very hash that was verified is replaced: of two changes at once, the second finds another.
            if not await stores.users.replace_password(account, hashed):
                raise WrongPassword(f"user {account.id} changed while the password was hashed")
            revoked = await stores.api_keys.revoke_all(account.id)
        await self.events.emit(PasswordChanged(user_id=account.id, device=device))
        for key in revoked:
            await self.events.emit(ApiKeyRevoked.of(key, device))
