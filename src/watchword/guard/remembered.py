"""Verify once, remember, forget on signal: credentials that were verified, kept for as long as they hold."""

import asyncio
import contextlib
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from typing_extensions import override

from watchword.errors import Refusal, Unavailable
from watchword.feed import Feed
from watchword.identity.verify import Verified, VerifyCredential
from watchword.model import Principal, User

_IMMUTABLE: Final = frozenset({bool, int, float, str, bytes, Decimal, UUID, date, datetime, time_of_day, timedelta})
_ASK_AGAIN_SECONDS: Final = 1.0
_SOCKETS_ASKING_AT_ONCE: Final = 4


class Caller:
    """Who a request comes from: the side of a verified credential that guards hand out.

    Args:
        verified: The credential.
        principal: Who it speaks for.
        profile: The host's model of a profile.
        since: The feed's position when it was verified.

    Attributes:
        keys: What revokes it.
        expires_at: When it ends, or has to be verified again, Unix time in seconds.
        note_use: What wants to know that it was used again, if anything does.
    """

    __slots__ = ("_profile", "_user", "account", "expires_at", "keys", "note_use", "principal", "since")

    def __init__(self, verified: Verified, principal: Principal, profile: type[BaseModel], since: int) -> None:
        self.principal = principal
        self.account = verified.account
        self.keys = verified.keys
        self.note_use = verified.note_use
        until = principal.expires_at if verified.until is None else min(principal.expires_at, verified.until)
        self.expires_at = until.timestamp()
        self.since = since
        self._profile = profile
        self._user: User[Any] | None = None

    def user(self) -> User[Any] | None:
        """The user; None where a client acts for itself. Requests share one that nobody can change.

        Raises:
            ProfileMismatch: The stored profile does not fit the host's model.
        """
        if self._user is not None or self.account is None:
            return self._user
        user = self.account.user(self._profile)
        if _is_immutable(user.profile):
            self._user = user
        return user


class RememberingVerifier:
    """What guards ask. A hit costs a look-up and a few comparisons in memory: no signature, no query.

    Args:
        verify: What is asked on a miss.
        feed: Says whether what was learned may still be believed.
        profile: The host's model of a profile.
        size: Tokens remembered at most; the least recently used goes first.
        clock: Unix time in seconds.

    Attributes:
        hits: Requests answered from memory.
        misses: Requests for which the signature and the database were asked.
    """

    def __init__(
        self,
        verify: VerifyCredential,
        feed: Feed,
        *,
        profile: type[BaseModel],
        size: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.hits = 0
        self.misses = 0
        self._verify = verify
        self._feed = feed
        self._profile = profile
        self._size = size
        self._clock = clock
        self._asking = asyncio.Semaphore(_SOCKETS_ASKING_AT_ONCE)
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()

    def recall(self, header: bytes) -> Caller | None:
        """Who presents a credential, if it was verified before and nothing has happened to it since.

        Args:
            header: `Bearer` and the credential, as the Authorization header has them.
        """
        # Callers are found by the whole header in a dictionary, not compared byte by byte with a secret.
        caller = self._callers.get(header)
        if caller is None:
            return None
        if caller.expires_at > self._clock() and self._feed.holds(caller.keys, since=caller.since):
            self.hits += 1
            self._callers.move_to_end(header)
            if caller.note_use is not None:
                caller.note_use()
            return caller
        del self._callers[header]
        return None

    async def __call__(self, credential: str) -> Caller:
        """Verify.

        Raises:
            InvalidToken: It is not good, for whatever reason.
            StorageDown: It is not remembered, and the database does not answer.
        """
        caller = self.recall(_header(credential))
        if caller is None:
            self.misses += 1
            caller = await self._ask(credential)
        return caller

    async def _ask(self, credential: str) -> Caller:
        since = self._feed.position  # before the database is read: what arrives meanwhile counts as later
        verified = await self._verify(credential)
        principal = _Ending.of(verified.principal, self, credential, verified.keys)
        caller = Caller(verified, principal, self._profile, since)
        if self._size:
            self._callers[_header(credential)] = caller
            if len(self._callers) > self._size:
                self._callers.popitem(last=False)
        return caller

    async def wait_for_end(self, credential: str, keys: Sequence[str], expires_at: float) -> None:
        """Return when a credential is good no more, or nobody could tell for longer than the staleness bound."""
        down_since: float | None = None
        async with self._feed.waiting(keys) as touched:
            while True:
                touched.clear()
                try:
                    async with self._asking:  # an interruption wakes every socket: they leave connections to requests
                        expires_at = (await self(credential)).expires_at  # a rotated key ends sooner than it did
                    down_since = None
                except Unavailable:
                    down_since = down_since or time.monotonic()
                    if not self._feed.is_fresh and time.monotonic() - down_since > self._feed.staleness:
                        return
                except Refusal:
                    return
                is_told = self._feed.is_fresh and down_since is None
                pause = expires_at - self._clock() if is_told else _ASK_AGAIN_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await touched.wait()


def _is_immutable(value: object) -> bool:
    """Whether nobody can change a value, as far as one can tell: when in doubt, each request gets one of its own."""
    if isinstance(value, BaseModel):
        model = type(value)
        is_plain = model.model_config.get("frozen") and not model.__private_attributes__ and not value.model_extra
        return bool(is_plain) and all(_is_immutable(getattr(value, name)) for name in model.model_fields)
    if isinstance(value, tuple | frozenset):
        return all(map(_is_immutable, value))
    return value is None or isinstance(value, Enum) or type(value) in _IMMUTABLE


def _header(credential: str) -> bytes:
    return b"Bearer " + credential.encode(errors="surrogatepass")


class _Ending(Principal):
    """A principal that can tell when it ends. How is no field: copies of it, and JSON, are of the principal alone."""

    __slots__ = ("_watch",)

    @classmethod
    def of(cls, principal: Principal, verifier: RememberingVerifier, credential: str, keys: Sequence[str]) -> "_Ending":
        ending = cls(**{field.name: getattr(principal, field.name) for field in fields(principal)})
        # A closure, for its repr does not show the credential.
        expires_at = principal.expires_at.timestamp()
        object.__setattr__(ending, "_watch", lambda: verifier.wait_for_end(credential, keys, expires_at))
        return ending

    @override
    async def ended(self) -> None:
        watch = getattr(self, "_watch", super().ended)  # one that was made by dataclasses.replace has none
        await watch()

    @override
    def __reduce__(self) -> tuple[type[Principal], tuple[Any, ...]]:
        return Principal, tuple(getattr(self, field.name) for field in fields(Principal))
