"""Email and password → the account, or one refusal that tells nothing."""

from dataclasses import dataclass

from watchword.crypto.passwords import MAX_PASSWORD_BYTES, decoy, scheme_of
from watchword.errors import InvalidGrant, InvalidRequest
from watchword.events import NOWHERE
from watchword.identity.emails import canonical_email
from watchword.identity.failure_time import FailureTime
from watchword.identity.hashing import HashingPool
from watchword.identity.second_factor import CheckCode, Factor, Presented, look_up
from watchword.model import Account, Device, NewHash
from watchword.storage import Database


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
    """Verifies an email and a password. Unknown, disabled and hash-less users cost what others cost."""

    storage: Database
    hashing: HashingPool
    failure_time: FailureTime
    check_code: CheckCode

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
            InvalidGrant: The same for every reason.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        refuse_endless(password)
        async with self.hashing.place() as place:
            account, presented = await self._read(email, code)
            stored = _verifiable_hash(account)
            outcome = await place.verify(password, stored or decoy(self.hashing.hasher.scheme))
            if account is None or stored is None or not account.is_active or not outcome.matches:
                reason = _reason(account)
            else:
                try:
                    factor = await self._judge(account, presented, device)
                    weak = self.hashing.hasher.needs_rehash(stored)
                    return PasswordVerified(account, new_hash(await place.hash(password)) if weak else None, factor)
                except InvalidGrant as wrong:  # it reads, and takes, as if the password had been
                    reason = f"user {account.id}: {wrong.detail}"
        await self.failure_time.wait(outcome)
        raise InvalidGrant(reason)

    async def _read(self, email: str, code: str | None) -> tuple[Account | None, Presented | None]:
        canonical = canonical_email(email)
        async with self.storage.reading() as stores:  # given back before the hash is computed
            account = await stores.users.find(canonical)
            # Whether or not there is such a user: a wrong password reads what a wrong code reads.
            presented = None if code is None else await look_up(stores, account.id if account else None, code)
            return account, presented

    async def _judge(self, account: Account, presented: Presented | None, device: Device) -> Factor | None:
        if presented is None or not account.second_factor:
            return None
        return await self.check_code.judge(account, presented, device=device)


def _reason(account: Account | None) -> str:
    if account is None:
        return "no such user"
    if _verifiable_hash(account) is None:
        return f"user {account.id} has no hash that can be verified"
    if not account.is_active:
        return f"user {account.id} is disabled"
    return f"wrong password for user {account.id}"


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
