"""Ask a user who is logged in for the password again, and for a code where there is a second factor."""

from dataclasses import dataclass
from uuid import UUID

from watchword.errors import WrongPassword
from watchword.events import NOWHERE, Event
from watchword.identity.authenticate_user import refuse_endless
from watchword.identity.current_password import CheckCurrentPassword
from watchword.identity.hashing import HashingPool
from watchword.identity.second_factor import CheckCode, Factor, use_up
from watchword.model import Account, Device
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
    check_password: CheckCurrentPassword
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
        async with self.hashing.place() as place:
            async with self.storage.reading() as stores:
                account = await stores.users.get(user_id)
            if account is None:
                raise WrongPassword("the user is gone")
            await self.check_password(place, account, password, device=device)
        factor = await self.check_code(account, code, device=device) if account.second_factor else None
        return Reauthenticated(account, factor)
