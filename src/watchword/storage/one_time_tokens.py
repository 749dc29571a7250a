"""The store of one-time tokens: a digest, what it is good for, and for how long."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import OneTimeToken, TokenPurpose
from watchword.storage.clock import after, now
from watchword.storage.tables import one_time_token

_TOKEN: Final = (
    one_time_token.c.id,
    one_time_token.c.purpose,
    one_time_token.c.user_id,
    one_time_token.c.email,
    one_time_token.c.payload,
    one_time_token.c.created_at,
    one_time_token.c.expires_at,
)
_IS_LIVE: Final = one_time_token.c.expires_at > now()
_MOST_SIGN_UPS: Final = 100


@dataclass(frozen=True, slots=True)
class NewOneTimeToken:
    """What a token starts with."""

    id: UUID
    purpose: TokenPurpose
    user_id: UUID | None
    digest: bytes = field(repr=False)
    email: str
    payload: Mapping[str, Any] = field(repr=False)
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class OneTimeTokenStore:
    """Reads and writes one-time tokens on one connection."""

    _connection: AsyncConnection

    async def add(self, new: NewOneTimeToken) -> None:
        """Insert a token."""
        await self._connection.execute(
            one_time_token.insert().values(
                id=new.id,
                purpose=new.purpose.value,
                user_id=new.user_id,
                digest=new.digest,
                email=new.email,
                payload=dict(new.payload),
                created_at=now(),
                expires_at=after(new.lifetime),
            )
        )

    async def find(self, digest: bytes, purposes: Collection[TokenPurpose]) -> OneTimeToken | None:
        """The token with this digest; None where there is none that is good for one of these purposes."""
        statement = select(*_TOKEN).where(one_time_token.c.digest == digest, *_good_for(purposes))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _to_token(row)

    async def take(self, token_id: UUID) -> bool:
        """Use a token up. False if it was used, or has expired: of many at once, one gets True."""
        statement = delete(one_time_token).where(one_time_token.c.id == token_id, _IS_LIVE)
        return (await self._connection.execute(statement)).rowcount == 1

    async def sign_ups(self, email: str, *, hold: bool = False) -> Sequence[OneTimeToken]:
        """The latest sign-ups of an address that wait for their proof.

        Args:
            email: The canonical address.
            hold: Lock them until the transaction ends, in an order that is everybody's.
        """
        statement = (
            select(*_TOKEN)
            .where(one_time_token.c.email == email, *_good_for([TokenPurpose.SIGN_UP]))
            .order_by(one_time_token.c.id.desc())
        )
        statement = statement.with_for_update() if hold else statement.limit(_MOST_SIGN_UPS)
        return [_to_token(row) for row in (await self._connection.execute(statement)).mappings()]

    async def of_user(self, user_id: UUID) -> Sequence[OneTimeToken]:
        """A user's tokens that are good, the oldest first."""
        statement = select(*_TOKEN).where(one_time_token.c.user_id == user_id, _IS_LIVE).order_by(one_time_token.c.id)
        return [_to_token(row) for row in (await self._connection.execute(statement)).mappings()]

    async def discard(self, user_id: UUID) -> None:
        """Delete every token of a user, in a transaction that holds the user's row."""
        await self._connection.execute(delete(one_time_token).where(one_time_token.c.user_id == user_id))

    async def discard_sign_ups(self, email: str) -> None:
        """Delete every sign-up of an address that waits, in a transaction that holds them."""
        await self._connection.execute(
            delete(one_time_token).where(
                one_time_token.c.email == email, one_time_token.c.purpose == TokenPurpose.SIGN_UP.value
            )
        )

    async def discard_all(self) -> None:
        """Delete every token there is."""
        await self._connection.execute(delete(one_time_token))

    async def prune(self, *, limit: int) -> int:
        """Delete tokens that have expired; how many there were, `limit` at most."""
        expired = select(one_time_token.c.id).where(one_time_token.c.expires_at < now()).limit(limit)
        return (await self._connection.execute(delete(one_time_token).where(one_time_token.c.id.in_(expired)))).rowcount


def _good_for(purposes: Collection[TokenPurpose]) -> tuple[Any, Any]:
    return one_time_token.c.purpose.in_([purpose.value for purpose in purposes]), _IS_LIVE


def _to_token(row: RowMapping) -> OneTimeToken:
    return OneTimeToken(**{**row, "purpose": TokenPurpose(row["purpose"])})
