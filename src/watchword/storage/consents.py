"""The store of consents: what users allowed clients."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import Consent
from watchword.storage.clock import after, now
from watchword.storage.statements import insert_for
from watchword.storage.tables import client, consent

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class ConsentStore:
    """Reads and writes consents on one connection."""

    _connection: AsyncConnection

    async def allowed(
        self, user_id: UUID, client_id: str, *, not_older_than: timedelta | None = None
    ) -> frozenset[str]:
        """What a user allowed a client; nothing, if that was longer ago than it may be."""
        statement = select(consent.c.scope).where(*_of(user_id, client_id))
        if not_older_than is not None:
            statement = statement.where(consent.c.updated_at > after(-not_older_than))
        scope = (await self._connection.execute(statement)).scalar_one_or_none()
        return _NOTHING if scope is None else frozenset(scope.split())

    async def add(self, user_id: UUID, client_id: str, scopes: frozenset[str]) -> bool:
        """Add to what a user allowed a client. False if one of them is gone."""
        first = (
            insert_for(self._connection, consent)
            .values(user_id=user_id, client_id=client_id, scope="", created_at=now(), updated_at=now())
            .on_conflict_do_nothing()
        )
        try:
            await self._connection.execute(first)
        except IntegrityError:
            return False
        # The row is locked from here: of two at once, the second adds to what the first wrote.
        held = select(consent.c.scope).where(*_of(user_id, client_id)).with_for_update()
        scope = (await self._connection.execute(held)).scalar_one_or_none()
        if scope is None:
            return False
        together = " ".join(sorted(scopes.union(scope.split())))
        statement = update(consent).where(*_of(user_id, client_id)).values(scope=together, updated_at=now())
        return (await self._connection.execute(statement)).rowcount == 1

    async def page(self, user_id: UUID, *, after_id: str | None = None, limit: int | None = None) -> Sequence[Consent]:
        """A user's consents, in the order of the clients' ids; all of them, where nothing else is said."""
        statement = (
            select(consent, client.c.name)
            .join(client, client.c.id == consent.c.client_id)
            .where(consent.c.user_id == user_id)
            .order_by(consent.c.client_id)
            .limit(limit)
        )
        if after_id is not None:
            statement = statement.where(consent.c.client_id > after_id)
        return [
            Consent(row.client_id, row.name, frozenset(row.scope.split()), row.created_at, row.updated_at)
            for row in await self._connection.execute(statement)
        ]

    async def delete(self, user_id: UUID, client_id: str) -> frozenset[str] | None:
        """Delete what a user allowed a client; what it was, None if there was nothing."""
        statement = delete(consent).where(*_of(user_id, client_id)).returning(consent.c.scope)
        scope = (await self._connection.execute(statement)).scalar_one_or_none()
        return None if scope is None else frozenset(scope.split())


def _of(user_id: UUID, client_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return consent.c.user_id == user_id, consent.c.client_id == client_id
