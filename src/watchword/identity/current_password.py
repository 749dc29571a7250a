"""The password of a user who is logged in, asked for once more."""

from dataclasses import dataclass

from watchword.crypto.passwords import decoy
from watchword.errors import WrongPassword
from watchword.identity.attempts import Attempts
from watchword.identity.hashing import Place
from watchword.model import Account, AttemptKind, Device


@dataclass(frozen=True, slots=True)
class CheckCurrentPassword:
    """Compares it, and counts what was wrong."""

    attempts: Attempts

    async def __call__(self, place: Place, account: Account, password: str, *, device: Device) -> None:
        """Let pass who knows it; it counts if the account is still as it was read.

        Args:
            place: Where it is hashed.
            account: As it was read.
            password: Exactly as it came.
            device: Where from.

        Raises:
            WrongPassword: It is not right, or the user has none.
            TooManyAttempts: It was wrong too often.
            StorageDown: The database does not answer.
        """
        counted = (AttemptKind.CURRENT_PASSWORD, str(account.id))
        await self.attempts.admit(*counted)
        stored = account.password_hash or decoy(place.scheme)
        if not (await place.verify(password, stored)).matches or account.password_hash is None:
            await self.attempts.failed(*counted, user_id=account.id, device=device)
            raise WrongPassword(f"wrong password for user {account.id}")
        await self.attempts.succeeded(*counted)
