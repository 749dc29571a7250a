"""The store of API keys: a digest, whose it is, and how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    RowMapping,
    Uuid,
    and_,
    case,
    column,
    delete,
    func,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import Account, ApiKey, Owner
from watchword.storage.clock import after, now
from watchword.storage.revocations import RevocationStore
from watchword.storage.tables import api_key, client, user
from watchword.storage.users import PUBLIC_ACCOUNT, to_account

_KEY: Final = (
    api_key.c.id,
    api_key.c.hint,
    api_key.c.name,
    api_key.c.user_id,
    api_key.c.client_id,
    api_key.c.scope,
    api_key.c.created_at,
    api_key.c.expires_at,
    api_key.c.last_used_at,
)
_IS_LIVE: Final = (api_key.c.revoked_at.is_(None), api_key.c.expires_at > now())
_KEPT_ENDED: Final = timedelta(days=30)  # so long the log can tell of an ended key which one it was
_TOUCHED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """What a key starts with.

    Attributes:
        end: How long it lives, or until when.
    """

    id: UUID
    digest: bytes = field(repr=False)
    hint: str
    name: str
    owner: Owner
    scopes: frozenset[str]
    end: timedelta | datetime


@dataclass(frozen=True, slots=True)
class ApiKeyState:
    """What the database says about a key and its owner.

    Attributes:
        is_live: Whether it is neither revoked nor expired.
        account: The user it belongs to, without the password hash; None for a client's.
        client_scopes: What the client it belongs to may have; None for a user's, and where the client is disabled.
    """

    key: ApiKey
    is_live: bool
    account: Account | None
    client_scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class ApiKeyStore:
    """Reads and writes API keys on one connection. What ends one is told to those who remember it."""

    _connection: AsyncConnection
    _revocations: RevocationStore

    async def add(self, new: NewApiKey) -> ApiKey:
        """Insert a key, in a transaction that holds its owner's row."""
        statement = api_key.insert().values(
            id=new.id,
            digest=new.digest,
            hint=new.hint,
            name=new.name,
            user_id=new.owner if isinstance(new.owner, UUID) else None,
            client_id=new.owner if isinstance(new.owner, str) else None,
            scope=" ".join(sorted(new.scopes)),
            created_at=now(),
            expires_at=after(new.end) if isinstance(new.end, timedelta) else new.end,
        )
        return _key((await self._connection.execute(statement.returning(*_KEY))).mappings().one())

    async def find(self, digest: bytes) -> ApiKeyState | None:
        """What there is to know of a key and of whose it is, in one query; None where there is no such key."""
        statement = (
            select(
                *_KEY,
                *PUBLIC_ACCOUNT,
                and_(*_IS_LIVE).label("is_live"),
                client.c.is_active.label("client_is_active"),
                client.c.scope.label("client_scope"),
            )
            .select_from(
                api_key.outerjoin(user, user.c.id == api_key.c.user_id).outerjoin(
                    client, client.c.id == api_key.c.client_id
                )
            )
            .where(api_key.c.digest == digest)
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        if row is None:
            return None
        account = None
        if row[api_key.c.user_id] is not None:
            account = to_account({column.name: row[column] for column in PUBLIC_ACCOUNT})
        scopes = frozenset(row["client_scope"].split()) if row["client_is_active"] else None
        return ApiKeyState(_key(row), row["is_live"], account, scopes)

    async def get(self, key_id: UUID) -> ApiKey | None:
        """A key that is in force; None where there is no such one."""
        row = (
            (await self._connection.execute(select(*_KEY).where(api_key.c.id == key_id, *_IS_LIVE))).mappings().first()
        )
        return None if row is None else _key(row)

    async def page(self, owner: Owner | None, *, before: UUID | None, limit: int) -> Sequence[ApiKey]:
        """The keys in force of an owner, or of everybody, the newest first."""
        statement = select(*_KEY).where(*_IS_LIVE)
        if owner is not None:
            statement = statement.where(_belongs_to(owner))
        if before is not None:
            statement = statement.where(api_key.c.id < before)
        rows = await self._connection.execute(statement.order_by(api_key.c.id.desc()).limit(limit))
        return [_key(row) for row in rows.mappings()]

    async def count(self, owner: Owner) -> int:
        """How many keys of an owner are in force."""
        statement = select(func.count()).select_from(api_key).where(_belongs_to(owner), *_IS_LIVE)
        number: int = (await self._connection.execute(statement)).scalar_one()
        return number

    async def revoke(self, key_id: UUID, *, owner: Owner | None = None) -> ApiKey | None:
        """Revoke a key, of one owner only if that is given. None where no such key is in force."""
        ours = [] if owner is None else [_belongs_to(owner)]
        return next(iter(await self._revoke(api_key.c.id == key_id, *ours)), None)

    async def end_after(self, key_id: UUID, grace: timedelta) -> ApiKey | None:
        """Let a key go on for so long and no longer. None where no such key is in force."""
        end = after(grace)
        sooner = case((api_key.c.expires_at < end, api_key.c.expires_at), else_=end)
        return next(iter(await self._end(api_key.c.id == key_id, expires_at=sooner)), None)

    async def revoke_all(self, user_id: UUID) -> Sequence[ApiKey]:
        """Revoke every key of a user; those that were in force.

        The caller has locked or changed the user's row before: a key that is just being made waits for it.
        """
        return await self._revoke(api_key.c.user_id == user_id)

    async def end_all(self) -> int:
        """Revoke every key there is, without a word to followers; how many were in force."""
        statement = update(api_key).where(*_IS_LIVE).values(revoked_at=now(), expires_at=now())
        return (await self._connection.execute(statement)).rowcount

    async def touch(self, seconds_ago: Mapping[UUID, float]) -> None:
        """Move the last use of keys forward, never back; a thousand by one statement.

        Args:
            seconds_ago: How long ago each was used.
        """
        used = sorted(seconds_ago.items())
        for start in range(0, len(used), _TOUCHED_AT_ONCE):
            await self._touch(used[start : start + _TOUCHED_AT_ONCE])

    async def _touch(self, used: Sequence[tuple[UUID, float]]) -> None:
        rows = (
            values(column("key_id", Uuid), column("moment", Float), name="used")
            .data([(key_id, round(-ago, 3)) for key_id, ago in used])
            .cte()
        )
        moment = after(rows.c.moment)
        # A row that somebody holds is left to the next time: nobody waits here, so nobody can wait in a circle.
        free = select(api_key.c.id).where(api_key.c.id.in_(select(rows.c.key_id))).with_for_update(skip_locked=True)
        await self._connection.execute(
            update(api_key)
            .where(
                api_key.c.id == rows.c.key_id,
                api_key.c.id.in_(free),
                or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < moment),
            )
            .values(last_used_at=moment)
        )

    async def prune(self, *, limit: int) -> int:
        """Delete keys that ended long ago; how many there were, `limit` at most."""
        ended = select(api_key.c.id).where(api_key.c.expires_at < after(-_KEPT_ENDED)).limit(limit)
        return (await self._connection.execute(delete(api_key).where(api_key.c.id.in_(ended)))).rowcount

    async def _revoke(self, *which: ColumnElement[bool]) -> Sequence[ApiKey]:
        # It expires too, so that one index finds all that ended.
        return await self._end(*which, revoked_at=now(), expires_at=now())

    async def _end(self, *which: ColumnElement[bool], **values: Any) -> Sequence[ApiKey]:  # noqa: ANN401 — of columns
        statement = update(api_key).where(*which, *_IS_LIVE).values(**values).returning(*_KEY)
        ended = [_key(row) for row in (await self._connection.execute(statement)).mappings()]
        await self._revocations.api_keys([key.id for key in ended])
        return ended


def _belongs_to(owner: Owner) -> ColumnElement[bool]:
    return api_key.c.user_id == owner if isinstance(owner, UUID) else api_key.c.client_id == owner


def _key(row: RowMapping | Mapping[Any, Any]) -> ApiKey:
    return ApiKey(
        id=row[api_key.c.id],
        hint=row[api_key.c.hint],
        name=row[api_key.c.name],
        user_id=row[api_key.c.user_id],
        client_id=row[api_key.c.client_id],
        scopes=frozenset(row[api_key.c.scope].split()),
        created_at=row[api_key.c.created_at],
        expires_at=row[api_key.c.expires_at],
        last_used_at=row[api_key.c.last_used_at],
    )
