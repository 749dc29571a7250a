"""The store of logout notices: clients that are to be told that a session of theirs has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import OPENID, OutboxEntry
from watchword.storage.clock import after, now
from watchword.storage.statements import has_scope, insert_for
from watchword.storage.tables import client, logout_notice, session

KIND: Final = "logout_notice"
"""What operators see it as."""
_LIFETIME: Final = timedelta(days=1)
_KEPT_ABANDONED: Final = timedelta(days=7)
_LONGEST_ERROR: Final = 255
_IS_DUE: Final = logout_notice.c.next_attempt_at <= now()
_IS_IN_TIME: Final = logout_notice.c.expires_at > now()
_ENTRY: Final = (
    logout_notice.c.session_id.label("id"),
    literal(KIND).label("kind"),
    logout_notice.c.attempts,
    logout_notice.c.next_attempt_at,
    logout_notice.c.last_error,
    logout_notice.c.created_at,
)


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """A notice that this process is to send now.

    Attributes:
        uri: Where; None where the client does not want it any more.
        algorithm: What signs the client's tokens.
        attempts: How many there were, this one included.
    """

    session_id: UUID
    client_id: str
    user_id: UUID
    uri: str | None
    algorithm: str
    attempts: int


async def note_ended(connection: AsyncConnection, *which: ColumnElement[bool]) -> None:
    """Write a notice for each session that just ended, or is about to, and whose client wants to know.

    It is written in the transaction that ends the session, so that neither is without the other. What has its notice
    already keeps that.

    Args:
        connection: The transaction's.
        which: Conditions on `session`: those that were in force.
    """
    ended = (
        select(session.c.id, session.c.client_id, session.c.user_id, literal(0), now(), now(), after(_LIFETIME))
        .join_from(session, client, client.c.id == session.c.client_id)
        .where(
            *which,
            session.c.idle_expires_at > now(),
            session.c.expires_at > now(),
            has_scope(session.c.scope, OPENID),
            client.c.is_active,
            client.c.backchannel_logout_uri.is_not(None),
        )
    )
    columns = ("session_id", "client_id", "user_id", "attempts", "next_attempt_at", "created_at", "expires_at")
    await connection.execute(insert_for(connection, logout_notice).from_select(columns, ended).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class LogoutNoticeStore:
    """Reads and writes notices on one connection."""

    _connection: AsyncConnection

    async def is_anything_due(self) -> bool:
        """Whether there is something to do: a look that locks nothing."""
        due: bool = (await self._connection.execute(select(exists().where(_IS_DUE)))).scalar_one()
        return due

    async def claim(self, *, lease: timedelta, limit: int) -> Sequence[LogoutNotice]:
        """Take notices that are due, the longest waiting first; nobody else gets them before the lease is over."""
        due = (
            select(logout_notice.c.session_id)
            .where(_IS_DUE, _IS_IN_TIME)
            .order_by(logout_notice.c.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        of_client = client.c.id == logout_notice.c.client_id
        statement = (
            update(logout_notice)
            .where(logout_notice.c.session_id.in_(due), _IS_DUE)
            .values(attempts=logout_notice.c.attempts + 1, next_attempt_at=after(lease))
            .returning(
                logout_notice.c.session_id,
                logout_notice.c.client_id,
                logout_notice.c.user_id,
                select(client.c.backchannel_logout_uri).where(of_client).scalar_subquery().label("uri"),
                select(client.c.id_token_algorithm).where(of_client).scalar_subquery().label("algorithm"),
                logout_notice.c.attempts,
            )
        )
        return [LogoutNotice(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def expire(self, *, limit: int) -> Sequence[LogoutNotice]:
        """Give up what could not be sent while it was of use; those notices."""
        late = select(logout_notice.c.session_id).where(_IS_DUE, ~_IS_IN_TIME).limit(limit)
        statement = (
            update(logout_notice)
            .where(logout_notice.c.session_id.in_(late.with_for_update(skip_locked=True)), _IS_DUE)
            .values(next_attempt_at=None, last_error=func.coalesce(logout_notice.c.last_error, "nobody sent it"))
            .returning(logout_notice)
        )
        rows = await self._connection.execute(statement)
        return [LogoutNotice(row.session_id, row.client_id, row.user_id, None, "", row.attempts) for row in rows]

    async def remove(self, session_id: UUID) -> None:
        """Delete a notice that was sent."""
        await self._connection.execute(delete(logout_notice).where(logout_notice.c.session_id == session_id))

    async def put_off(self, notice: LogoutNotice, error: str, *, delay: timedelta) -> None:
        """Note that an attempt failed, unless somebody else has taken the notice since.

        Args:
            notice: What was to be sent.
            error: Why it was not, for an operator.
            delay: Until the next attempt.
        """
        await self._connection.execute(
            update(logout_notice)
            .where(logout_notice.c.session_id == notice.session_id, logout_notice.c.attempts == notice.attempts)
            .values(last_error=error[:_LONGEST_ERROR], next_attempt_at=after(delay))
        )

    async def page(self, *, after_id: UUID | None, limit: int) -> Sequence[OutboxEntry]:
        """What was not sent, the oldest sessions first."""
        statement = select(*_ENTRY).order_by(logout_notice.c.session_id).limit(limit)
        if after_id is not None:
            statement = statement.where(logout_notice.c.session_id > after_id)
        return [OutboxEntry(**row) for row in (await self._connection.execute(statement)).mappings()]

    async def retry(self, session_id: UUID | None) -> int:
        """Make a notice due now, or all that were given up; how many there were."""
        given_up = logout_notice.c.next_attempt_at.is_(None)
        which = given_up if session_id is None else logout_notice.c.session_id == session_id
        statement = update(logout_notice).where(which).values(next_attempt_at=now(), expires_at=after(_LIFETIME))
        return (await self._connection.execute(statement)).rowcount

    async def prune(self, *, limit: int) -> int:
        """Delete notices that were given up a week ago; how many there were, `limit` at most."""
        old = (
            select(logout_notice.c.session_id)
            .where(logout_notice.c.next_attempt_at.is_(None), logout_notice.c.expires_at < after(-_KEPT_ABANDONED))
            .limit(limit)
        )
        statement = delete(logout_notice).where(logout_notice.c.session_id.in_(old))
        return (await self._connection.execute(statement)).rowcount
