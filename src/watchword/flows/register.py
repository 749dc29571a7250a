"""Make an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from watchword.crypto.ids import new_id
from watchword.errors import EmailTaken
from watchword.identity.authenticate_user import new_hash
from watchword.identity.emails import parse_email
from watchword.identity.hashing import HashingPool
from watchword.identity.password_policy import PasswordPolicy
from watchword.identity.profiles import validate_profile
from watchword.model import Account, NewHash
from watchword.storage import Database
from watchword.storage.users import NewAccount


@dataclass(frozen=True, slots=True)
class Registration:
    """Who wants an account. A None password makes one that cannot log in with a password."""

    email: str
    password: str | None = field(repr=False)
    profile: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """Registers a user."""

    storage: Database
    hashing: HashingPool
    policy: PasswordPolicy
    profile: type[BaseModel]

    async def __call__(self, request: Registration) -> Account:
        """Register.

        Raises:
            InvalidInput: The address or the profile does not fit.
            WeakPassword: The password does not meet the policy.
            EmailTaken: There is such an account.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        email = parse_email(request.email)
        profile = validate_profile(self.profile, request.profile)
        hashed = await self._hash(request.password, email.written)
        async with self.storage.transaction() as stores:
            account = await stores.users.add(
                NewAccount(
                    id=new_id(),
                    email=email.written,
                    email_canonical=email.canonical,
                    password=hashed,
                    profile=profile,
                )
            )
        if account is None:
            raise EmailTaken("sign-up with an address that has an account")
        return account

    async def _hash(self, password: str | None, email: str) -> NewHash | None:
        if password is None:
            return None
        self.policy.check(password, email=email)
        async with self.hashing.place() as place:
            return new_hash(await place.hash(password))
