"""Codes of a second factor: who must give one, and whether one is right. Every code is judged here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeVar
from uuid import UUID

from watchword.crypto import recovery_codes, totp
from watchword.crypto.sealing import SealBroken, Sealer, row_context
from watchword.errors import InvalidGrant, InvalidToken, Unavailable
from watchword.events import NOWHERE, Event, Events, RecoveryCodeUsed, SecondFactorRefused
from watchword.identity.attempts import Attempts
from watchword.model import Account, AttemptKind, Device
from watchword.storage import Database, Stores
from watchword.storage.second_factors import StoredTotp

T = TypeVar("T")

_WRONG: Final = "The code is wrong or was used before"
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class TimeStep:
    """The step of a one-time code that was right."""

    step: int


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A recovery code that was right, as its digest."""

    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PendingToken:
    """The token of a login that waits for its second factor.

    Attributes:
        id: Its `jti`.
        expires_at: Its `exp`, Unix time in seconds.
    """

    id: str
    expires_at: int


Factor = TimeStep | RecoveryCode
SingleUse = Factor | PendingToken
"""What is good once: it was right when it was looked at, and counts in the transaction that uses it up."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A code, and what is stored to compare it with.

    Attributes:
        one_time_code: Six digits, if it is such a code.
        recovery_digest: The digest, if it looks like a recovery code.
        stored: The user's seeds.
        has_recovery_code: Whether the user has that recovery code, unused.
    """

    one_time_code: str | None = field(repr=False)
    recovery_digest: bytes | None = field(repr=False)
    stored: StoredTotp = field(default_factory=StoredTotp)
    has_recovery_code: bool = False


@dataclass(frozen=True, slots=True)
class SecondFactorPolicy:
    """Who must have a second factor.

    Attributes:
        everybody: Whether all must.
        roles: Else, those who have one of these roles.
    """

    everybody: bool
    roles: frozenset[str]

    def demands(self, account: Account) -> bool:
        """Whether a user must."""
        return self.everybody or not self.roles.isdisjoint(account.roles)


@dataclass(frozen=True, slots=True)
class CheckCode:
    """Judges one-time codes and recovery codes.

    Attributes:
        clock: Unix time in seconds; the one place where codes get the time from.
    """

    storage: Database
    sealer: Sealer
    attempts: Attempts
    events: Events
    clock: Callable[[], float]

    async def __call__(self, account: Account, code: str | None, *, device: Device = NOWHERE) -> Factor:
        """Judge a code by the factor in force.

        Raises:
            InvalidGrant: It is wrong or was used before; or none came, which is no guess, and is not counted as one.
            TooManyAttempts: There were too many wrong ones.
            Unavailable: The seed cannot be opened with the secrets at hand.
            StorageDown: The database does not answer.
        """
        if not code:
            raise InvalidGrant(f"user {account.id} sent no code", text="A code of the second factor is needed")
        async with self.storage.reading() as stores:
            presented = await look_up(stores, account.id, code)
        return await self.judge(account, presented, device=device)

    async def judge(self, account: Account, presented: Presented, *, device: Device = NOWHERE) -> Factor:
        """Judge a code that was looked up already.

        Raises:
            InvalidGrant, TooManyAttempts, Unavailable, StorageDown: As above.
        """
        kind = AttemptKind.TOTP if presented.recovery_digest is None else AttemptKind.RECOVERY
        return await self._decide(account, kind, lambda: self._factor(account, presented), device)

    async def confirm(self, account: Account, pending: bytes, code: str, *, device: Device = NOWHERE) -> int:
        """Judge a code by a seed that waits to be confirmed; the time step.

        Raises:
            InvalidGrant, TooManyAttempts, Unavailable, StorageDown: As above.
        """
        return await self._decide(
            account,
            AttemptKind.TOTP,
            lambda: self._step(self.unseal(account.id, pending, "pending_sealed"), _digits(code)),
            device,
        )

    def seal(self, user_id: UUID, secret: str, column: str) -> bytes:
        """A seed as it is stored."""
        return self.sealer.seal(secret.encode("ascii"), _context(user_id, column))

    def unseal(self, user_id: UUID, sealed: bytes, column: str) -> str:
        """A seed in base32.

        Raises:
            Unavailable: It cannot be opened.
        """
        try:
            return self.sealer.unseal(sealed, _context(user_id, column)).decode("ascii")
        except SealBroken as error:
            raise Unavailable(
                f"the seed of user {user_id} does not open ({type(error).__name__}): WATCHWORD_SECRET lacks the secret "
                "that sealed it, or it was altered"
            ) from None

    async def _decide(self, account: Account, kind: AttemptKind, decide: Callable[[], T], device: Device) -> T:
        """Every code comes by here: it is judged, and a wrong one is counted and told of."""
        subject = str(account.id)
        await self.attempts.admit(kind, subject)
        try:
            right = decide()
        except InvalidGrant as wrong:
            await self.attempts.failed(kind, subject, user_id=account.id, device=device)
            await self.events.emit(SecondFactorRefused(user_id=account.id, reason=wrong.detail, device=device))
            raise
        await self.attempts.succeeded(kind, subject)
        return right

    def _factor(self, account: Account, presented: Presented) -> Factor:
        if presented.recovery_digest is not None:
            if not presented.has_recovery_code:
                raise _wrong("a recovery code that there is not, or that was used")
            return RecoveryCode(presented.recovery_digest)
        stored = presented.stored
        if not account.second_factor or stored.secret is None:
            raise _wrong("there is no second factor")
        step = self._step(self.unseal(account.id, stored.secret, "secret_sealed"), presented.one_time_code)
        if stored.last_step is not None and step <= stored.last_step:  # RFC 6238 §5.2: once, whatever the clock says
            raise _wrong(f"a one-time code of step {step}, and {stored.last_step} was used")
        return TimeStep(step)

    def _step(self, secret: str, code: str | None) -> int:
        if code is None:
            raise _wrong("no code of any kind")
        step = totp.matching_step(secret, code, now=self.clock())
        if step is None:
            raise _wrong("a wrong one-time code")
        return step


async def look_up(stores: Stores, user_id: UUID | None, code: str) -> Presented:
    """Read what a code has to be compared with; of nobody, the same is read."""
    digest = recovery_codes.digest(code)
    if digest is not None:
        has = await stores.second_factors.has_recovery_code(user_id or _NOBODY, digest)
        return Presented(None, digest, has_recovery_code=has)
    return Presented(_digits(code), None, stored=await stores.second_factors.get(user_id or _NOBODY))


async def use_up(
    stores: Stores, user_id: UUID, uses: Sequence[SingleUse], *, device: Device = NOWHERE
) -> Sequence[Event]:
    """Use up what is good once, in the transaction that counts on it: of several at once, one gets it.

    Returns:
        The events to emit after the commit.

    Raises:
        InvalidGrant: Another request used the code meanwhile.
        InvalidToken: The pending token was traded before.
    """
    happened: list[Event] = []
    for use in uses:
        if isinstance(use, PendingToken):
            if not await stores.second_factors.use_token(sha256(use.id.encode()).digest(), expires_at=use.expires_at):
                raise InvalidToken(f"pending token {use.id} was traded before")
        elif isinstance(use, TimeStep):
            if not await stores.second_factors.use_step(user_id, use.step):
                raise _wrong(f"a one-time code of step {use.step}, which was used meanwhile")
        else:
            remaining = await stores.second_factors.use_recovery_code(user_id, use.digest)
            if remaining is None:
                raise _wrong("a recovery code that was used meanwhile")
            happened.append(RecoveryCodeUsed(user_id=user_id, remaining=remaining, device=device))
    return happened


def _digits(code: str) -> str | None:
    """Six digits, however they are grouped."""
    plain = code.replace(" ", "")
    return plain if len(plain) == totp.DIGITS and plain.isascii() and plain.isdigit() else None


def _wrong(detail: str) -> InvalidGrant:
    return InvalidGrant(detail, text=_WRONG)


def _context(user_id: UUID, column: str) -> bytes:
    return row_context("totp", column, str(user_id))
