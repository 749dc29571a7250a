"""The store of browser sessions: logins at our own pages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import Account, BrowserSession, Device
from watchword.storage.clock import after, now
from watchword.storage.sessions import MOST_DEVICES, Lifetimes
from watchword.storage.statements import earlier
from watchword.storage.tables import authorization_code, browser_session, session, user

_ENDS_AT: Final = earlier(browser_session.c.idle_expires_at, browser_session.c.expires_at).label("ends_at")
_COLUMNS: Final = (
    browser_session.c.id,
    browser_session.c.user_id,
    browser_session.c.epoch,
    browser_session.c.amr,
    browser_session.c.auth_time,
    browser_session.c.user_agent,
    browser_session.c.address,
    browser_session.c.created_at,
    browser_session.c.last_used_at,
    _ENDS_AT,
)
USED_AGAIN_AFTER: Final = timedelta(hours=1)
"""A page that is looked at writes nothing, most of the time."""


@dataclass(frozen=True, slots=True)
class NewBrowserSession:
    """What a browser session starts with.

    Attributes:
        digest: That of the cookie's value.
    """

    id: UUID
    digest: bytes = field(repr=False)
    amr: tuple[str, ...]
    device: Device


@dataclass(frozen=True, slots=True)
class BrowserSessionStore:
    """Reads and writes browser sessions on one connection."""

    _connection: AsyncConnection

    async def add(self, new: NewBrowserSession, account: Account, lifetimes: Lifetimes) -> BrowserSession:
        """Insert one, in a transaction that holds the account's row: `UserStore.record_login` came first."""
        statement = browser_session.insert().values(
            id=new.id,
            digest=new.digest,
            user_id=account.id,
            epoch=account.token_epoch,
            amr=" ".join(new.amr),
            auth_time=now(),
            user_agent=new.device.user_agent,
            address=new.device.address,
            created_at=now(),
            last_used_at=now(),
            idle_expires_at=after(lifetimes.idle),
            expires_at=after(lifetimes.absolute),
        )
        return _browser_session((await self._connection.execute(statement.returning(*_COLUMNS))).one())

    async def renew(self, session_id: UUID, new: NewBrowserSession, lifetimes: Lifetimes) -> BrowserSession | None:
        """Give one another cookie, for its user logged in once more: what it gave to clients goes on.

        None if it has ended. In a transaction that holds the account's row.
        """
        statement = update(browser_session).where(browser_session.c.id == session_id, *_is_live())
        statement = statement.values(
            digest=new.digest,
            amr=" ".join(new.amr),
            auth_time=now(),
            user_agent=new.device.user_agent,
            address=new.device.address,
            last_used_at=now(),
            idle_expires_at=after(lifetimes.idle),
            expires_at=after(lifetimes.absolute),
        )
        row = (await self._connection.execute(statement.returning(*_COLUMNS))).one_or_none()
        return None if row is None else _browser_session(row)

    async def is_on_a_new_device(self, found: UUID, user_id: UUID, device: Device) -> bool:
        """Whether a login's user has others, sessions of clients apart, and none was last used from this device."""
        others = [
            exists().where(browser_session.c.user_id == user_id, browser_session.c.id != found),
            exists().where(session.c.user_id == user_id, session.c.browser_session_id.is_(None)),
        ]
        same = [
            others[0].where(*_is_used_from(browser_session, device)),
            others[1].where(*_is_used_from(session, device)),
        ]
        is_new: bool = (await self._connection.execute(select(and_(or_(*others), ~or_(*same))))).scalar_one()
        return is_new

    async def devices(self, user_id: UUID) -> Sequence[Device]:
        """Where a user is logged in, the newest hundred."""
        statement = (
            select(browser_session.c.user_agent, browser_session.c.address)
            .where(browser_session.c.user_id == user_id)
            .order_by(browser_session.c.id.desc())
            .limit(MOST_DEVICES)
        )
        return [Device(row.user_agent, row.address) for row in await self._connection.execute(statement)]

    async def find(self, digest: bytes) -> BrowserSession | None:
        """The one in force with this digest; None if there is none."""
        statement = select(*_COLUMNS).where(browser_session.c.digest == digest, *_is_live())
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _browser_session(row)

    async def hold(self, session_id: UUID) -> BrowserSession | None:
        """The one in force with this id, locked until the transaction ends; None if there is none."""
        statement = select(*_COLUMNS).where(browser_session.c.id == session_id, *_is_live()).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _browser_session(row)

    async def touch(self, session_id: UUID, *, idle: timedelta) -> None:
        """Note that it is used, unless that was noted within the hour."""
        statement = (
            update(browser_session)
            .where(
                browser_session.c.id == session_id,
                browser_session.c.last_used_at < after(-USED_AGAIN_AFTER),
                *_is_live(),
            )
            .values(last_used_at=now(), idle_expires_at=after(idle))
        )
        await self._connection.execute(statement)

    async def step_up(self, session_id: UUID, *, amr: tuple[str, ...] | None) -> BrowserSession | None:
        """Note that its user authenticated again, now. None if it has ended.

        Args:
            session_id: Which.
            amr: What it is worth from now on; None where that does not change.
        """
        values = {} if amr is None else {"amr": " ".join(amr)}
        statement = update(browser_session).where(browser_session.c.id == session_id, *_is_live())
        statement = statement.values(auth_time=now(), **values)
        row = (await self._connection.execute(statement.returning(*_COLUMNS))).one_or_none()
        return None if row is None else _browser_session(row)

    async def page(self, user_id: UUID, *, before: UUID | None, limit: int) -> Sequence[BrowserSession]:
        """A user's browser sessions in force, the newest login first."""
        statement = select(*_COLUMNS).where(browser_session.c.user_id == user_id, *_is_live())
        if before is not None:
            statement = statement.where(browser_session.c.id < before)
        rows = await self._connection.execute(statement.order_by(browser_session.c.id.desc()).limit(limit))
        return [_browser_session(row) for row in rows]

    async def end(self, session_ids: Sequence[UUID], *, user_id: UUID) -> Sequence[UUID]:
        """Delete a user's browser sessions; the ids of those that there were."""
        statement = delete(browser_session).where(
            browser_session.c.id.in_(session_ids), browser_session.c.user_id == user_id
        )
        return (await self._connection.execute(statement.returning(browser_session.c.id))).scalars().all()

    async def end_others(self, user_id: UUID, *, but: UUID | None) -> Sequence[UUID]:
        """Delete every browser session of a user but one; the ids of those that there were."""
        statement = delete(browser_session).where(browser_session.c.user_id == user_id)
        if but is not None:
            statement = statement.where(browser_session.c.id != but)
        return (await self._connection.execute(statement.returning(browser_session.c.id))).scalars().all()

    async def end_all(self) -> None:
        """Delete every browser session of everybody, and the codes that they gave."""
        await self._connection.execute(delete(authorization_code))
        await self._connection.execute(delete(browser_session))

    async def prune(self, *, limit: int) -> int:
        """Delete those that have ended; how many there were, `limit` at most."""
        dead = (
            select(browser_session.c.id)
            .where(or_(browser_session.c.expires_at < now(), browser_session.c.idle_expires_at < now()))
            .limit(limit)
        )
        statement = delete(browser_session).where(browser_session.c.id.in_(dead))
        return (await self._connection.execute(statement)).rowcount


def _is_used_from(table: Table, device: Device) -> Sequence[ColumnElement[bool]]:
    return (
        table.c.user_agent.is_not_distinct_from(device.user_agent),
        table.c.address.is_not_distinct_from(device.address),
    )


def _is_live() -> Sequence[ColumnElement[bool]]:
    return (
        browser_session.c.idle_expires_at > now(),
        browser_session.c.expires_at > now(),
        exists()
        .where(
            user.c.id == browser_session.c.user_id,
            user.c.is_active,
            user.c.token_epoch == browser_session.c.epoch,
        )
        .correlate(browser_session),
    )


def _browser_session(row: Any) -> BrowserSession:  # noqa: ANN401 — a row of SQLAlchemy
    return BrowserSession(
        id=row.id,
        user_id=row.user_id,
        epoch=row.epoch,
        amr=tuple(row.amr.split()),
        auth_time=row.auth_time,
        device=Device(row.user_agent, row.address),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        ends_at=row.ends_at,
    )
