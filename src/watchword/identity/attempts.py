"""Failures to tell a secret, counted for each account: whoever guesses has to wait, longer each time."""

import hashlib
import hmac
import math
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from watchword.errors import TooManyAttempts
from watchword.events import NOWHERE, Events, LockedOut
from watchword.model import AttemptKind, AttemptPolicy, Device
from watchword.storage import Database, Stores
from watchword.storage.hot_path import blocked_for


class Attempts:
    """Counts failures.

    Ask before a secret is looked at, and tell how it went:

    ```python
    await attempts.admit(AttemptKind.TOTP, str(user_id))
    if is_right:
        await attempts.succeeded(AttemptKind.TOTP, str(user_id))
    else:
        await attempts.failed(AttemptKind.TOTP, str(user_id), user_id=user_id, device=device)
    ```

    Of many guesses at once, which all were let in, those that are done after the last free failure are refused by
    either, the right one too: as many count as if they had come one after the other.

    Args:
        storage: Where the counters are.
        key: What the addresses in the table are hidden with.
        policies: How many failures of each kind are free.
        events: Who wants to hear of locks.
    """

    def __init__(
        self, storage: Database, key: bytes, policies: Mapping[AttemptKind, AttemptPolicy], events: Events
    ) -> None:
        self._storage = storage
        self._key = key
        self._policies = policies
        self._events = events

    async def admit(self, kind: AttemptKind, subject: str) -> None:
        """Let a try in.

        Args:
            kind: What is tried.
            subject: Whose secret: a user's id, or for a login the canonical address, whether or not there is such an
                account.

        Raises:
            TooManyAttempts: There were too many failures.
            StorageDown: The database does not answer; nobody is let in.
        """
        await self._refuse_blocked(kind, subject)

    async def is_admitted(self, kind: AttemptKind, subject: str) -> bool:
        """Whether `admit` would let a try in."""
        return not await blocked_for(self._storage, kind, self._hidden(kind, subject))

    async def failed(
        self, kind: AttemptKind, subject: str, *, user_id: UUID | None = None, device: Device = NOWHERE
    ) -> None:
        """Count a failure.

        Args:
            kind: What was tried.
            subject: As in `admit`.
            user_id: Whose account it is, for the event.
            device: Where the request came from.

        Raises:
            TooManyAttempts: There were too many before this one: answer as if it had not been let in.
            StorageDown: The database does not answer; the caller must not be told that it was wrong, or right.
        """
        policy = self._policies[kind]
        async with self._storage.transaction() as stores:
            failure = await stores.attempts.add(kind, self._hidden(kind, subject), policy)
        if failure.was_blocked:
            raise _refusal(kind, failure.blocked_for)
        if failure.failures == policy.limit:
            await self._events.emit(LockedOut(kind=kind, user_id=user_id, device=device))

    async def succeeded(self, kind: AttemptKind, subject: str) -> None:
        """Forget the failures.

        Raises:
            TooManyAttempts: There were too many meanwhile: the right guess is refused as a wrong one is.
            StorageDown: The database does not answer.
        """
        if await self._refuse_blocked(kind, subject):
            async with self._storage.transaction() as stores:
                await stores.attempts.forget(kind, self._hidden(kind, subject))

    async def lift(self, stores: Stores, kind: AttemptKind, subject: str) -> None:
        """Forget the failures though it is blocked, in the transaction that replaces what was guessed at.

        Args:
            stores: The transaction's.
            kind: What was tried.
            subject: As in `admit`.
        """
        await stores.attempts.lift(kind, self._hidden(kind, subject))

    async def _refuse_blocked(self, kind: AttemptKind, subject: str) -> bool:
        """Refuse where it is blocked; whether there were failures."""
        wait = await blocked_for(self._storage, kind, self._hidden(kind, subject))
        if wait:
            raise _refusal(kind, wait)
        return wait is not None

    def _hidden(self, kind: AttemptKind, subject: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{subject}".encode(), hashlib.sha256)


def _refusal(kind: AttemptKind, wait: timedelta) -> TooManyAttempts:
    return TooManyAttempts(max(1, math.ceil(wait.total_seconds())), f"the {kind} is not heard for {wait}")
