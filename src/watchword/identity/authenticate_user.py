"""Email and password → the account, or one refusal that tells nothing."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from watchword.crypto.passwords import MAX_PASSWORD_BYTES, decoy, scheme_of
from watchword.errors import InvalidGrant, InvalidRequest, TooManyAttempts
from watchword.events import NOWHERE
from watchword.identity.attempts import Attempts
from watchword.identity.emails import canonical_email
from watchword.identity.failure_time import FailureTime
from watchword.identity.hashing import HashingPool, Verification
from watchword.identity.second_factor import CheckCode, Factor, Presented, look_up
from watchword.model import Account, AttemptKind, Device, NewHash
from watchword.storage import Database
from watchword.storage.hot_path import find_account

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PasswordVerified:
    """A password was right when it was read. It counts once a conditional statement has confirmed the account.

    Attributes:
        account: As it was read.
        rehashed: What should replace a weaker hash.
        factor: The second factor that came with it and was right; None if there is none, or none came.
    """

    account: Account
    rehashed: NewHash | None
    factor: Factor | None


@dataclass(frozen=True, slots=True)
class AuthenticateUser:
    """Verifies an email and a password. Who is not let in costs what others cost.

    Attributes:
        only_verified: Whether an address has to be proved before.
    """

    storage: Database
    hashing: HashingPool
    failure_time: FailureTime
    attempts: Attempts
    check_code: CheckCode
    only_verified: bool

    async def __call__(
        self, email: str, password: str, *, code: str | None = None, device: Device = NOWHERE
    ) -> PasswordVerified:
        """Verify.

        Args:
            email: However it is written.
            password: Exactly as it came.
            code: A one-time or recovery code that came along. Of a user without a second factor it is not looked at.
            device: Where from.

        Raises:
            InvalidGrant: The same for every reason, a wrong code among them.
            TooManyAttempts: The password is right, and there were too many wrong codes.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        refuse_endless(password)
        canonical = canonical_email(email)
        async with self.hashing.place() as place:
            account = await find_account(self.storage, canonical)
            # Whether or not there is such a user: a wrong password reads what a wrong code reads.
            presented = None if code is None else await self._look_up(account, code)
            counter = await self._counter(canonical, account, device)
            stored = _verifiable_hash(account)
            outcome = await place.verify(password, stored or decoy(self.hashing.hasher.scheme))
            if account is not None and stored is not None and self._may_log_in(account) and outcome.matches:
                try:
                    if await self._is_heard(counter):
                        factor = await self._judge(account, presented, device)
                        weak = self.hashing.hasher.needs_rehash(stored)
                        return PasswordVerified(account, new_hash(await place.hash(password)) if weak else None, factor)
                    counter = replace(counter, is_locked=True)
                except InvalidGrant as wrong:  # it reads, and takes, as if the password had been
                    counter = replace(counter, wrong_code=wrong.detail)
        return await self._refuse(account, outcome, counter, device)

    def _may_log_in(self, account: Account) -> bool:
        return account.is_active and (account.email_verified_at is not None or not self.only_verified)

    async def _judge(self, account: Account, presented: Presented | None, device: Device) -> Factor | None:
        if presented is None or not account.second_factor:
            return None
        return await self.check_code.judge(account, presented, device=device)

    async def _look_up(self, account: Account | None, code: str) -> Presented:
        async with self.storage.reading() as stores:  # given back before the hash is computed
            return await look_up(stores, account.id if account else None, code)

    async def _counter(self, canonical: str, account: Account | None, device: Device) -> "_Counter":
        """Where this try counts: at the account, or while that is locked at the network its owner is logged in from.

        So a stranger's guesses lock strangers out, and not the owner.
        """
        if await self.attempts.is_admitted(AttemptKind.PASSWORD, canonical):
            return _Counter(canonical, is_locked=False)
        user_id = account.id if account is not None else _NOBODY  # for unknown users too, who have none
        async with self.storage.reading() as stores:
            logged_in_from = [
                *await stores.sessions.devices(user_id),
                *await stores.browser_sessions.devices(user_id),
            ]
        if device.network is None or device.network not in {known.network for known in logged_in_from}:
            return _Counter(canonical, is_locked=True)
        own = f"{canonical} {device.network}"
        return _Counter(own, is_locked=not await self.attempts.is_admitted(AttemptKind.PASSWORD, own))

    async def _is_heard(self, counter: "_Counter") -> bool:
        """Whether a right password counts, now that it was verified."""
        if counter.is_locked:
            return False
        try:
            await self.attempts.succeeded(AttemptKind.PASSWORD, counter.subject)
        except TooManyAttempts:  # others failed meanwhile
            return False
        return True

    async def _refuse(
        self, account: Account | None, outcome: Verification, counter: "_Counter", device: Device
    ) -> PasswordVerified:
        user_id = account.id if account is not None else None
        if counter.wrong_code is None:  # which was counted as such
            with suppress(TooManyAttempts):  # it was locked, which nobody is told
                await self.attempts.failed(AttemptKind.PASSWORD, counter.subject, user_id=user_id, device=device)
        await self.failure_time.wait(outcome)
        if account is None:
            raise InvalidGrant("no such user")
        if _verifiable_hash(account) is None:
            raise InvalidGrant(f"user {account.id} has no hash that can be verified")
        if not account.is_active:
            raise InvalidGrant(f"user {account.id} is disabled")
        if not self._may_log_in(account):
            raise InvalidGrant(f"user {account.id} has not proved their address")
        if counter.wrong_code is not None:
            raise InvalidGrant(f"user {account.id}: {counter.wrong_code}")
        if counter.is_locked:
            raise InvalidGrant(f"user {account.id} is locked after too many failures")
        raise InvalidGrant(f"wrong password for user {account.id}")


@dataclass(frozen=True, slots=True)
class _Counter:
    """Where a try counts, whether it is heard at all, and what was wrong with the code where the password was right."""

    subject: str
    is_locked: bool
    wrong_code: str | None = None


def _verifiable_hash(account: Account | None) -> str | None:
    """The stored hash, if there is one and it can be verified at a bearable cost."""
    stored = account.password_hash if account is not None else None
    return stored if stored is not None and scheme_of(stored) is not None else None


def refuse_endless(password: str) -> None:
    """Refuse what is too long before it costs anything.

    Raises:
        InvalidRequest: More than 1,024 bytes.
    """
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise InvalidRequest("password over 1,024 bytes", text="The password is too long")


def new_hash(encoded: str) -> NewHash:
    """An encoded hash with its scheme beside it."""
    return NewHash(encoded, str(scheme_of(encoded)))
