"""The store of revocations: what followers read, written in the transaction that revokes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Text, cast, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import Revocation, RevocationKind
from watchword.storage.clock import after, now
from watchword.storage.tables import revocation

CHANNEL: Final = "watchword_revocation"
"""Where PostgreSQL notifies those who LISTEN."""

COLUMNS: Final = (revocation.c.kind, revocation.c.subject, revocation.c.epoch)


@dataclass(frozen=True, slots=True)
class RevocationStore:
    """Writes revocations on one connection.

    Attributes:
        written: What this transaction revokes, for the process itself, which does not wait to be told.
    """

    _connection: AsyncConnection
    _kept_for: timedelta
    written: list[Revocation] = field(default_factory=list)

    async def user(self, user_id: UUID, *, epoch: int) -> None:
        """Tell that a user changed; tokens of a lower epoch are revoked."""
        await self._add([Revocation(RevocationKind.USER, str(user_id), epoch)], self._kept_for)

    async def sessions(self, session_ids: Sequence[UUID]) -> None:
        """Revoke sessions."""
        await self._add(
            [Revocation(RevocationKind.SESSION, str(session_id)) for session_id in session_ids], self._kept_for
        )

    async def client(self, client_id: str) -> None:
        """Tell that a client changed: its scopes, its secrets, whether it may do anything at all."""
        await self._add([Revocation(RevocationKind.CLIENT, client_id)], self._kept_for)

    async def token(self, token_id: str, *, remaining: timedelta) -> None:
        """Revoke one access token.

        Args:
            token_id: Its `jti`.
            remaining: Its life from now, which the row outlasts: it is the only word of this revocation.
        """
        kept_for = max(self._kept_for, remaining + timedelta(minutes=10))
        await self._add([Revocation(RevocationKind.TOKEN, token_id)], kept_for)

    async def role(self, name: str) -> None:
        """Tell that a role means something else now."""
        await self._add([Revocation(RevocationKind.ROLE, name)], self._kept_for)

    async def api_keys(self, key_ids: Sequence[UUID]) -> None:
        """Revoke API keys."""
        await self._add([Revocation(RevocationKind.API_KEY, str(key_id)) for key_id in key_ids], self._kept_for)

    async def everything(self) -> None:
        """Tell that nothing that is remembered holds any more."""
        await self._add([Revocation(RevocationKind.EVERYTHING, "")], self._kept_for)

    async def in_force(self, *, after_id: int, limit: int) -> Sequence[tuple[int, Revocation, float]]:
        """A page of what is revoked now: row id, revocation, and how many seconds it must be remembered."""
        statement = (
            select(revocation.c.id, *COLUMNS, revocation.c.expires_at, now().label("now"))
            .where(revocation.c.id > after_id, revocation.c.expires_at > now())
            .order_by(revocation.c.id)
            .limit(limit)
        )
        rows = await self._connection.execute(statement)
        return [(row.id, to_revocation(row), (row.expires_at - row.now).total_seconds()) for row in rows]

    async def prune(self, *, limit: int) -> int:
        """Delete rows that nobody needs any more; how many there were, `limit` at most."""
        expired = select(revocation.c.id).where(revocation.c.expires_at < now()).limit(limit)
        result = await self._connection.execute(delete(revocation).where(revocation.c.id.in_(expired)))
        return result.rowcount

    async def _add(self, revocations: Sequence[Revocation], kept_for: timedelta) -> None:
        if not revocations:
            return
        values: dict[str, Any] = {"expires_at": after(kept_for)}
        on_postgresql = self._connection.dialect.name == "postgresql"
        if on_postgresql:
            values["transaction_id"] = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
        rows = [
            {"kind": each.kind.value, "subject": each.subject, "epoch": each.epoch, **values} for each in revocations
        ]
        for start in range(0, len(rows), 1000):
            await self._connection.execute(revocation.insert().values(rows[start : start + 1000]))
        if on_postgresql:  # delivered at commit; of equal ones in a transaction, once
            await self._connection.execute(select(func.pg_notify(CHANNEL, "")))
        self.written.extend(revocations)


def to_revocation(row: Any) -> Revocation:  # noqa: ANN401 — a row with COLUMNS
    """Read a row."""
    return Revocation(RevocationKind(row.kind), row.subject, row.epoch)
