"""Make an account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from watchword.crypto.foreign_hashes import canonical_hash
from watchword.crypto.passwords import scheme_of
from watchword.errors import EmailTaken, InvalidInput
from watchword.events import NOWHERE, Events, UserRegistered
from watchword.identity.authenticate_user import new_hash
from watchword.identity.emails import parse_email
from watchword.identity.hashing import HashingPool
from watchword.identity.new_account import add_account
from watchword.identity.password_policy import PasswordPolicy
from watchword.identity.profiles import validate_profile
from watchword.model import Account, Device, NewHash
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class Registration:
    """Who wants an account. With neither password nor hash it cannot log in with a password.

    Attributes:
        roles: The names of roles that there are; None for the role of new users.
        is_email_verified: Whether somebody vouches for the address.
        password_hash: One that was made elsewhere, instead of a password, of a kind that `canonical_hash` reads.
    """

    email: str
    password: str | None = field(repr=False)
    profile: Mapping[str, Any]
    password_hash: str | None = field(default=None, repr=False)
    roles: frozenset[str] | None = None
    is_email_verified: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """Registers a user."""

    storage: Database
    hashing: HashingPool
    policy: PasswordPolicy
    profile: type[BaseModel]
    events: Events
    default_roles: frozenset[str]

    async def __call__(self, request: Registration, *, device: Device = NOWHERE) -> Account:
        """Register.

        Raises:
            InvalidInput: The address, the profile, the hash or a role does not fit.
            WeakPassword: The password does not meet the policy.
            EmailTaken: There is such an account.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        email = parse_email(request.email)
        profile = validate_profile(self.profile, request.profile)
        hashed = await self._hash(request, email.written)
        roles = self.default_roles if request.roles is None else request.roles
        async with self.storage.transaction() as stores:
            account = await add_account(
                stores,
                email,
                password=hashed,
                profile=profile,
                roles=roles,
                is_email_verified=request.is_email_verified,
            )
        if account is None:
            raise EmailTaken("sign-up with an address that has an account")
        await self.events.emit(UserRegistered(user_id=account.id, device=device))
        return account

    async def _hash(self, request: Registration, email: str) -> NewHash | None:
        if request.password_hash is not None:
            encoded = canonical_hash(request.password_hash)
            if encoded is None or scheme_of(encoded) is None:
                raise InvalidInput("an unknown hash", text="This is no password hash that can be verified here")
            return new_hash(encoded)
        if request.password is None:
            return None
        await self.policy.check(request.password, email=email)
        async with self.hashing.place() as place:
            return new_hash(await place.hash(request.password))
