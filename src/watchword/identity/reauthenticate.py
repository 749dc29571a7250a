"""Ask a user who is logged in for the password again, and for a code where there is a second factor."""

from dataclasses import dataclass
from uuid import UUID

from watchword.crypto.passwords import decoy
from watchword.errors import WrongPassword
from watchword.events import NOWHERE, Event
from watchword.identity.attempts import Attempts
from watchword.identity.authenticate_user import refuse_endless
from watchword.identity.hashing import HashingPool
from watchword.identity.second_factor import CheckCode, Factor, use_up
from watchword.model import Account, AttemptKind, Device
from watchword.storage import Database, Stores


@dataclass(frozen=True, slots=True)
class Reauthenticated:
    """Password and code were right when they were read; they count in a transaction that begins with `hold`.

    Attributes:
        account: As it was read.
        factor: The second factor; None where the user has none.
    """

    account: Account
    factor: Factor | None

    async def hold(self, stores: Stores, *, device: Device = NOWHERE) -> list[Event]:
        """Lock the account and use up the code; the events to emit after the commit.

        Raises:
            WrongPassword: The account changed meanwhile.
            InvalidGrant: Another request used the code.
        """
        if not await stores.users.hold(self.account):
            raise WrongPassword(f"user {self.account.id} changed while the password was verified")
        return list(await use_up(stores, self.account.id, (self.factor,) if self.factor else (), device=device))


@dataclass(frozen=True, slots=True)
class Reauthenticate:
    """Verifies the password, and the second factor of a user who has one."""

    storage: Database
    hashing: HashingPool
    attempts: Attempts
    check_code: CheckCode

    async def __call__(
        self, user_id: UUID, password: str, code: str | None, *, device: Device = NOWHERE
    ) -> Reauthenticated:
        """Verify.

        Raises:
            WrongPassword: It is not right.
            InvalidGrant: There is a second factor, and the code is not right.
            TooManyAttempts: One of them was wrong too often.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        refuse_endless(password)
        await self.attempts.admit(AttemptKind.CURRENT_PASSWORD, str(user_id))
        async with self.hashing.place() as place:
            async with self.storage.reading() as stores:
                account = await stores.users.get(user_id)
            stored = account.password_hash if account is not None else None
            outcome = await place.verify(password, stored or decoy(self.hashing.hasher.scheme))
        if account is None or stored is None or not outcome.matches:
            await self.attempts.failed(AttemptKind.CURRENT_PASSWORD, str(user_id), user_id=user_id, device=device)
            raise WrongPassword(f"wrong password for user {user_id}")
        await self.attempts.succeeded(AttemptKind.CURRENT_PASSWORD, str(user_id))
        factor = await self.check_code(account, code, device=device) if account.second_factor else None
        return Reauthenticated(account, factor)
