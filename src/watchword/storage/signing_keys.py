"""The store of signing keys. What it holds is sealed; opening it is not its business."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import KeyStatus
from watchword.storage.clock import after, now
from watchword.storage.statements import insert_for
from watchword.storage.tables import signing_key


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key as it is stored."""

    kid: str
    algorithm: str
    private_sealed: bytes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of the signing key table.

    Attributes:
        activated_at: Since when it signs; None while it is the next.
        retired_at: Since when it signs no more.
    """

    sealed: SealedKey
    status: KeyStatus
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningKeyStore:
    """Reads and writes signing keys on one connection."""

    _connection: AsyncConnection

    async def all(self) -> Sequence[StoredKey]:
        """Every key, by algorithm and age."""
        statement = select(signing_key).order_by(signing_key.c.algorithm, signing_key.c.created_at)
        return [
            StoredKey(
                SealedKey(row.kid, row.algorithm, row.private_sealed),
                KeyStatus(row.status),
                row.created_at,
                row.activated_at,
                row.retired_at,
            )
            for row in await self._connection.execute(statement)
        ]

    async def add(self, key: SealedKey, status: KeyStatus) -> None:
        """Insert a key, unless its algorithm has one of this status: of two processes, the first decides."""
        await self._connection.execute(
            insert_for(self._connection, signing_key)
            .values(
                kid=key.kid,
                algorithm=key.algorithm,
                status=status,
                private_sealed=key.private_sealed,
                created_at=now(),
                activated_at=now() if status is KeyStatus.ACTIVE else None,
            )
            .on_conflict_do_nothing()
        )

    async def active_longer_than(self, age: timedelta) -> Sequence[str]:
        """The algorithms whose key has signed for so long and has no successor yet."""
        successor = signing_key.alias()
        has_one = exists().where(successor.c.algorithm == signing_key.c.algorithm, successor.c.status == KeyStatus.NEXT)
        statement = select(signing_key.c.algorithm).where(
            signing_key.c.status == KeyStatus.ACTIVE, signing_key.c.activated_at < after(-age), ~has_one
        )
        return (await self._connection.execute(statement)).scalars().all()

    async def promote(self, *, published_for: timedelta) -> Sequence[str]:
        """Let each next key sign that was published for so long, and retire the one before it; their `kid`s."""
        # Of two processes, the second waits here for the first, and then finds no next one. What is due is asked once:
        # a moment later it may be more.
        is_due = and_(signing_key.c.status == KeyStatus.NEXT, signing_key.c.created_at <= after(-published_for))
        found = select(signing_key.c.kid, signing_key.c.algorithm).where(is_due).with_for_update()
        due = (await self._connection.execute(found)).all()
        kids, algorithms = [key.kid for key in due], [key.algorithm for key in due]
        await self._connection.execute(
            update(signing_key)
            .where(signing_key.c.status == KeyStatus.ACTIVE, signing_key.c.algorithm.in_(algorithms))
            .values(status=KeyStatus.RETIRING, retired_at=now())
        )
        await self._connection.execute(
            update(signing_key).where(signing_key.c.kid.in_(kids)).values(status=KeyStatus.ACTIVE, activated_at=now())
        )
        return kids

    async def delete_retired(self, *, kept_for: timedelta) -> Sequence[str]:
        """Delete what has signed nothing for so long; their `kid`s."""
        statement = delete(signing_key).where(
            signing_key.c.status == KeyStatus.RETIRING, signing_key.c.retired_at < after(-kept_for)
        )
        deleted: Sequence[str] = (await self._connection.scalars(statement.returning(signing_key.c.kid))).all()
        return deleted

    async def delete(self, kid: str) -> str | None:
        """Delete a key whatever its status; its algorithm, None if there is no such key."""
        statement = delete(signing_key).where(signing_key.c.kid == kid).returning(signing_key.c.algorithm)
        return (await self._connection.execute(statement)).scalar_one_or_none()
