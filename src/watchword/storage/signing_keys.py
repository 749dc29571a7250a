"""The store of signing keys. What it holds is sealed; opening it is not its business."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.storage.clock import now
from watchword.storage.statements import insert_for
from watchword.storage.tables import signing_key


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A row of the signing key table."""

    kid: str
    algorithm: str
    private_sealed: bytes


@dataclass(frozen=True, slots=True)
class SigningKeyStore:
    """Reads and writes signing keys on one connection."""

    _connection: AsyncConnection

    async def active(self) -> Sequence[SealedKey]:
        """The active key of each algorithm."""
        rows = await self._connection.execute(
            select(signing_key.c.kid, signing_key.c.algorithm, signing_key.c.private_sealed)
            .where(signing_key.c.status == "active")
            .order_by(signing_key.c.algorithm)
        )
        return [SealedKey(row.kid, row.algorithm, row.private_sealed) for row in rows]

    async def add_active(self, key: SealedKey) -> None:
        """Insert a key, unless its algorithm has an active one: of two processes, the first decides."""
        await self._connection.execute(
            insert_for(self._connection, signing_key)
            .values(
                kid=key.kid,
                algorithm=key.algorithm,
                status="active",
                private_sealed=key.private_sealed,
                created_at=now(),
            )
            .on_conflict_do_nothing()
        )
