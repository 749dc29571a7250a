"""Remove a second factor, or renew its recovery codes."""

from dataclasses import dataclass
from uuid import UUID

from watchword.crypto import recovery_codes
from watchword.errors import NoSecondFactor, NotFound, SecondFactorRequired
from watchword.events import (
    NOWHERE,
    OPERATOR,
    By,
    Events,
    LoggedOutEverywhere,
    RecoveryCodesRenewed,
    SecondFactorDisabled,
)
from watchword.identity.reauthenticate import Reauthenticate, Reauthenticated
from watchword.identity.second_factor import SecondFactorPolicy
from watchword.model import Account, Device
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class ManageSecondFactor:
    """What can be done with a factor that is in force. Each method raises `StorageDown`."""

    storage: Database
    reauthenticate: Reauthenticate
    policy: SecondFactorPolicy
    events: Events

    async def disable(self, user_id: UUID, password: str, code: str, *, device: Device = NOWHERE) -> None:
        """Remove it, at the user's own wish. Sessions go on.

        Raises:
            WrongPassword, InvalidGrant: The password or the code is not right.
            NoSecondFactor: There is none.
            SecondFactorRequired: The user must have one.
            HashingBusy, InvalidRequest: See `Reauthenticate`.
        """
        again = await self._again(user_id, password, code, device)
        if self.policy.demands(again.account):
            raise SecondFactorRequired(f"user {user_id} must have a second factor")
        async with self.storage.transaction() as stores:
            happened = await again.hold(stores, device=device)
            await stores.second_factors.remove(user_id)
            await stores.users.set_second_factor(user_id, confirmed=False)
        await self.events.emit(*happened, SecondFactorDisabled(user_id=user_id, device=device))

    async def renew_recovery_codes(
        self, user_id: UUID, password: str, code: str, *, device: Device = NOWHERE
    ) -> tuple[str, ...]:
        """Make ten new recovery codes; the old ones are void.

        Raises:
            WrongPassword, InvalidGrant: The password or the code is not right.
            NoSecondFactor: There is no factor.
            HashingBusy, InvalidRequest: See `Reauthenticate`.
        """
        again = await self._again(user_id, password, code, device)
        codes, digests = recovery_codes.new_set()
        async with self.storage.transaction() as stores:
            happened = await again.hold(stores, device=device)
            await stores.second_factors.replace_recovery_codes(user_id, digests)
        await self.events.emit(*happened, RecoveryCodesRenewed(user_id=user_id, device=device))
        return codes

    async def reset(self, user_id: UUID, *, by: By = OPERATOR) -> Account:
        """Remove it for a user who lost it, and end all their sessions: whoever has one may be the thief of the phone.

        Raises:
            NotFound: There is no such user.
        """
        async with self.storage.transaction() as stores:
            account = await stores.users.end_tokens(user_id)
            had_one = await stores.second_factors.remove(user_id)
            if had_one:
                account = await stores.users.set_second_factor(user_id, confirmed=False)
        if account is None:
            raise NotFound(f"no user {user_id}")
        if had_one:
            await self.events.emit(SecondFactorDisabled(user_id=user_id, actor=by.actor, device=by.device))
        await self.events.emit(LoggedOutEverywhere(user_id=user_id, actor=by.actor, device=by.device))
        return account

    async def _again(self, user_id: UUID, password: str, code: str, device: Device) -> Reauthenticated:
        again = await self.reauthenticate(user_id, password, code, device=device)
        if not again.account.second_factor:
            raise NoSecondFactor(f"user {user_id} has no second factor")
        return again
