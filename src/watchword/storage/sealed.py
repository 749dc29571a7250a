"""The store of whatever is sealed: what is sealed under which key, and another seal in place of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, LargeBinary, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.storage.tables import outbox, signing_key, totp


class SealedColumn(StrEnum):
    """The columns that hold sealed values, as the associated data names them."""

    SIGNING_KEY = "signing_key.private_sealed"
    TOTP = "totp.secret_sealed"
    PENDING_TOTP = "totp.pending_sealed"
    MAIL = "outbox.payload_sealed"


_COLUMNS: Final[Mapping[SealedColumn, tuple[Column[Any], Column[Any]]]] = {
    SealedColumn.SIGNING_KEY: (signing_key.c.kid, signing_key.c.private_sealed),
    SealedColumn.TOTP: (totp.c.user_id, totp.c.secret_sealed),
    SealedColumn.PENDING_TOTP: (totp.c.user_id, totp.c.pending_sealed),
    SealedColumn.MAIL: (outbox.c.id, outbox.c.payload_sealed),
}


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value and the row it is in."""

    id: UUID | str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedStore:
    """Reads and replaces sealed values on one connection. Where in a value its key id stands, the caller says."""

    _connection: AsyncConnection

    async def count(self, column: SealedColumn, key_id: slice) -> Mapping[bytes, int]:
        """How many values there are under each key id."""
        _, sealed = _COLUMNS[column]
        under = _part(sealed, key_id)
        statement = select(under, func.count()).where(sealed.is_not(None)).group_by(under)
        return {bytes(found): number for found, number in await self._connection.execute(statement)}

    async def page(
        self, column: SealedColumn, key_id: slice, *, not_under: bytes, after: UUID | str | None, limit: int
    ) -> Sequence[SealedValue]:
        """Values that are sealed under another key, by row id.

        Args:
            column: Where.
            key_id: Where in a value the key id stands.
            not_under: The key that values need not be moved from.
            after: The id of the last one of the page before.
            limit: How many at most.
        """
        row_id, sealed = _COLUMNS[column]
        statement = select(row_id, sealed).where(sealed.is_not(None), _part(sealed, key_id) != not_under)
        if after is not None:
            statement = statement.where(row_id > after)
        rows = await self._connection.execute(statement.order_by(row_id).limit(limit))
        return [SealedValue(found, value) for found, value in rows]

    async def replace(self, column: SealedColumn, value: SealedValue, by: bytes) -> bool:
        """Put another value in the place of one. False if it is not there any more: replaced, or gone with its row."""
        row_id, sealed = _COLUMNS[column]
        statement = update(row_id.table).where(row_id == value.id, sealed == value.sealed).values({sealed: by})
        return (await self._connection.execute(statement)).rowcount == 1


def _part(sealed: Column[Any], key_id: slice) -> Any:  # noqa: ANN401 — an expression of SQLAlchemy
    return func.substr(sealed, key_id.start + 1, key_id.stop - key_id.start, type_=LargeBinary)
