"""Email and password → the account, or one refusal that tells nothing."""

from dataclasses import dataclass

from watchword.crypto.passwords import MAX_PASSWORD_BYTES, decoy, scheme_of
from watchword.errors import InvalidGrant, InvalidRequest
from watchword.identity.emails import canonical_email
from watchword.identity.failure_time import FailureTime
from watchword.identity.hashing import HashingPool, Verification
from watchword.model import Account, NewHash
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class PasswordVerified:
    """A password was right when it was read. It counts once a conditional statement has confirmed the account.

    Attributes:
        account: As it was read.
        rehashed: What should replace a weaker hash.
    """

    account: Account
    rehashed: NewHash | None


@dataclass(frozen=True, slots=True)
class AuthenticateUser:
    """Verifies an email and a password. Who is not let in costs what others cost.

    Attributes:
        only_verified: Whether an address has to be proved before.
    """

    storage: Database
    hashing: HashingPool
    failure_time: FailureTime
    only_verified: bool

    async def __call__(self, email: str, password: str) -> PasswordVerified:
        """Verify.

        Raises:
            InvalidGrant: The same for every reason.
            InvalidRequest: The password is longer than any can be.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        refuse_endless(password)
        async with self.hashing.place() as place:
            account = await self._read(email)
            stored = _verifiable_hash(account)
            outcome = await place.verify(password, stored or decoy(self.hashing.hasher.scheme))
            if account is not None and stored is not None and self._may_log_in(account) and outcome.matches:
                weak = self.hashing.hasher.needs_rehash(stored)
                return PasswordVerified(account, new_hash(await place.hash(password)) if weak else None)
        return await self._refuse(account, outcome)

    def _may_log_in(self, account: Account) -> bool:
        return account.is_active and (account.email_verified_at is not None or not self.only_verified)

    async def _read(self, email: str) -> Account | None:
        canonical = canonical_email(email)
        async with self.storage.reading() as stores:  # given back before the hash is computed
            return await stores.users.find(canonical)

    async def _refuse(self, account: Account | None, outcome: Verification) -> PasswordVerified:
        await self.failure_time.wait(outcome)
        if account is None:
            raise InvalidGrant("no such user")
        if _verifiable_hash(account) is None:
            raise InvalidGrant(f"user {account.id} has no hash that can be verified")
        if not account.is_active:
            raise InvalidGrant(f"user {account.id} is disabled")
        if not self._may_log_in(account):
            raise InvalidGrant(f"user {account.id} has not proved their address")
        raise InvalidGrant(f"wrong password for user {account.id}")


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
