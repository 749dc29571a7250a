"""The store of second factors: sealed seeds, digests of recovery codes, and what was used of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.crypto.ids import new_id
from watchword.storage.clock import now
from watchword.storage.statements import insert_for
from watchword.storage.tables import pending_token, recovery_code, totp

_MARGIN: Final = timedelta(minutes=10)  # rows stay so long, for clocks that differ


@dataclass(frozen=True, slots=True)
class StoredTotp:
    """Seeds as they are stored, sealed.

    Attributes:
        secret: The one in force.
        pending: One that waits to be confirmed.
        last_step: The time step of the last code that was used.
    """

    secret: bytes | None = field(default=None, repr=False)
    pending: bytes | None = field(default=None, repr=False)
    last_step: int | None = None


@dataclass(frozen=True, slots=True)
class SecondFactorStore:
    """Reads and writes second factors on one connection.

    What changes a factor comes in a transaction that holds the user's row: a login that is completed at the same time
    compares `second_factor_since` there.
    """

    _connection: AsyncConnection

    async def get(self, user_id: UUID) -> StoredTotp:
        """The seeds of a user; of one who has none, an empty value."""
        statement = select(totp.c.secret_sealed, totp.c.pending_sealed, totp.c.last_step)
        row = (await self._connection.execute(statement.where(totp.c.user_id == user_id))).one_or_none()
        return StoredTotp() if row is None else StoredTotp(*row)

    async def has_recovery_code(self, user_id: UUID, digest: bytes) -> bool:
        """Whether a user has this recovery code, and has not used it."""
        found = await self._connection.execute(
            select(recovery_code.c.id).where(
                recovery_code.c.user_id == user_id,
                recovery_code.c.digest == digest,
                recovery_code.c.used_at.is_(None),
            )
        )
        return found.one_or_none() is not None

    async def set_pending(self, user_id: UUID, sealed: bytes) -> None:
        """Keep a seed that waits to be confirmed, in place of the last one that did; what is in force stays."""
        statement = insert_for(self._connection, totp).values(user_id=user_id, pending_sealed=sealed)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=[totp.c.user_id], set_={"pending_sealed": sealed})
        )

    async def confirm(self, user_id: UUID, *, pending: bytes, secret: bytes, step: int) -> bool:
        """Put the pending seed in force. False if it is not the one that was read: it was replaced or confirmed.

        Args:
            user_id: Whose.
            pending: As it was read.
            secret: The same seed, sealed for the column that it moves to.
            step: The time step of the code that confirmed it, which is used by this.
        """
        statement = (
            update(totp)
            .where(totp.c.user_id == user_id, totp.c.pending_sealed == pending)
            .values(secret_sealed=secret, pending_sealed=None, last_step=step)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def use_step(self, user_id: UUID, step: int) -> bool:
        """Use up a time step. False if it, or a later one, was used before; of several at once, one gets it."""
        statement = (
            update(totp)
            .where(
                totp.c.user_id == user_id,
                totp.c.secret_sealed.is_not(None),
                or_(totp.c.last_step.is_(None), totp.c.last_step < step),
            )
            .values(last_step=step)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def use_recovery_code(self, user_id: UUID, digest: bytes) -> int | None:
        """Use up a recovery code; how many are left. None if there is none, or it was used: of several, one gets it."""
        statement = (
            update(recovery_code)
            .where(
                recovery_code.c.user_id == user_id,
                recovery_code.c.digest == digest,
                recovery_code.c.used_at.is_(None),
            )
            .values(used_at=now())
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            return None
        left = select(func.count()).where(recovery_code.c.user_id == user_id, recovery_code.c.used_at.is_(None))
        return (await self._connection.execute(left)).scalar_one()

    async def replace_recovery_codes(self, user_id: UUID, digests: Sequence[bytes]) -> None:
        """Give a user these recovery codes and no others."""
        await self._connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
        rows = [{"id": new_id(), "user_id": user_id, "digest": digest} for digest in digests]
        await self._connection.execute(recovery_code.insert(), rows)

    async def remove(self, user_id: UUID) -> bool:
        """Remove all that a user has of a second factor. False if none was in force."""
        await self._connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
        statement = delete(totp).where(totp.c.user_id == user_id).returning(totp.c.secret_sealed)
        return (await self._connection.execute(statement)).scalar_one_or_none() is not None

    async def use_all(self, step: int) -> None:
        """Use up everybody's time steps up to this one."""
        statement = update(totp).where(or_(totp.c.last_step.is_(None), totp.c.last_step < step))
        await self._connection.execute(statement.values(last_step=step))

    async def void_recovery_codes(self) -> int:
        """Delete every recovery code of everybody; how many were unused."""
        unused = select(func.count()).where(recovery_code.c.used_at.is_(None))
        number = (await self._connection.execute(unused)).scalar_one()
        await self._connection.execute(delete(recovery_code))
        return number

    async def use_token(self, jti_digest: bytes, *, expires_at: int) -> bool:
        """Note that a pending token was traded. False if it was before; of several at once, the database lets one in.

        Args:
            jti_digest: The SHA-256 of its `jti`.
            expires_at: Its `exp`, Unix time in seconds.
        """
        statement = (
            insert_for(self._connection, pending_token)
            .values(jti_digest=jti_digest, expires_at=datetime.fromtimestamp(expires_at, UTC) + _MARGIN)
            .on_conflict_do_nothing()
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def prune_tokens(self, *, limit: int) -> int:
        """Delete the pending tokens that have expired; how many there were, `limit` at most."""
        expired = select(pending_token.c.jti_digest).where(pending_token.c.expires_at < now()).limit(limit)
        statement = delete(pending_token).where(pending_token.c.jti_digest.in_(expired))
        return (await self._connection.execute(statement)).rowcount
