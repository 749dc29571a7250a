"""Sign up where addresses have to be proved: there is no account before."""

from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel

from watchword.identity.authenticate_user import new_hash
from watchword.identity.emails import parse_email
from watchword.identity.even_time import EvenTime
from watchword.identity.hashing import HashingPool
from watchword.identity.links import Links
from watchword.identity.outbox import Outbox
from watchword.identity.password_policy import PasswordPolicy
from watchword.identity.profiles import validate_profile
from watchword.mail import Letter
from watchword.model import TokenPurpose
from watchword.storage import Database


@dataclass(frozen=True, slots=True)
class SignUpRequest:
    """Who wants an account."""

    email: str
    password: str = field(repr=False)
    profile: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SignUp:
    """Mails a link that makes the account. An address that has one costs the same, and its owner is told."""

    storage: Database
    hashing: HashingPool
    policy: PasswordPolicy
    profile: type[BaseModel]
    links: Links
    outbox: Outbox
    even_time: EvenTime

    async def __call__(self, request: SignUpRequest) -> None:
        """Sign up.

        Raises:
            InvalidInput: The address or the profile does not fit.
            WeakPassword: The password does not meet the policy.
            HashingBusy: The queue is full.
            StorageDown: The database does not answer.
        """
        async with self.even_time.kept():
            await self._sign_up(request)

    async def _sign_up(self, request: SignUpRequest) -> None:
        email = parse_email(request.email)
        profile = validate_profile(self.profile, request.profile)
        await self.policy.check(request.password, email=email.written)
        async with self.hashing.place() as place:
            hashed = new_hash(await place.hash(request.password))
        payload = {"email": email.written, "password": asdict(hashed), "profile": profile}
        async with self.storage.transaction() as stores:
            account = await stores.users.find(email.canonical)
            # For a taken address too, where nobody ever sees the link: what is written tells nothing.
            link = await self.links.make(stores, TokenPurpose.SIGN_UP, email=email.canonical, payload=payload)
            if account is None:
                letter = Letter("verify_email", email.written, link.values)
            else:
                letter = Letter("address_in_use", account.email)
            await self.outbox.put(stores, letter, lifetime=link.lifetime)
        self.outbox.wake()
