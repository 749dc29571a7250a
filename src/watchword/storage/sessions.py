"""The session store: one row a login, one statement a refresh."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Float, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.crypto.refresh_tokens import RefreshToken
from watchword.model import FIRST_PARTY, OFFLINE_ACCESS, Account, Device, RevocationKind, Session
from watchword.storage.clock import after, now
from watchword.storage.direct import Call, Row, Statement
from watchword.storage.logout_notices import note_ended
from watchword.storage.revocations import RevocationStore
from watchword.storage.roles import scopes_of_sessions_user
from watchword.storage.statements import earlier, has_scope
from watchword.storage.tables import UtcDateTime, browser_session, client, revocation, session, user
from watchword.storage.users import PUBLIC_ACCOUNT, to_account

HEALED_GENERATIONS: Final = 2
"""How far a token may be ahead of its row: a failover lost the last commits."""

_SESSION = (
    session.c.id,
    session.c.user_id,
    session.c.client_id,
    session.c.scope,
    session.c.amr,
    session.c.auth_time,
    session.c.epoch,
    session.c.user_agent,
    session.c.address,
    session.c.created_at,
    session.c.rotated_at,
    session.c.browser_session_id,
    session.c.audience,
    earlier(session.c.idle_expires_at, session.c.expires_at).label("ends_at"),
)
MOST_DEVICES: Final = 100
_MARGIN: Final = timedelta(minutes=10)  # dead rows stay so long, for clocks that differ


_USER_IS_IN_FORCE = (
    exists()
    .where(user.c.id == session.c.user_id, user.c.is_active, user.c.token_epoch == session.c.epoch)
    .correlate(session)
)


# What a client was given holds while it is registered and not disabled; the first party is in no table.
_CLIENT_IS_IN_FORCE = or_(
    session.c.client_id == FIRST_PARTY,
    exists().where(client.c.id == session.c.client_id, client.c.is_active).correlate(session),
)


_IS_OFFLINE = has_scope(session.c.scope, OFFLINE_ACCESS)
# What came from a login at our pages ends with it, unless it may work offline (OpenID Connect Core §11).
_BROWSER_IS_IN_FORCE = or_(
    session.c.browser_session_id.is_(None),
    _IS_OFFLINE,
    exists()
    .where(
        browser_session.c.id == session.c.browser_session_id,
        browser_session.c.idle_expires_at > now(),
        browser_session.c.expires_at > now(),
    )
    .correlate(session),
)

_BROWSER_ENDS_AT: Final = (
    select(earlier(browser_session.c.idle_expires_at, browser_session.c.expires_at))
    .where(browser_session.c.id == session.c.browser_session_id, ~_IS_OFFLINE)
    .correlate(session)
    .scalar_subquery()
    .label("until")
)


def _is_live() -> Sequence[ColumnElement[bool]]:
    return (
        session.c.revoked_at.is_(None),
        session.c.idle_expires_at > now(),
        session.c.expires_at > now(),
        _USER_IS_IN_FORCE,
        _CLIENT_IS_IN_FORCE,
        _BROWSER_IS_IN_FORCE,
    )


_ADD: Final = Statement(
    session.insert()
    .values(
        id=bindparam("new_id"),
        handle=bindparam("new_handle"),
        user_id=bindparam("account_id"),
        client_id=bindparam("client"),
        generation=0,
        lost_generations=0,
        epoch=bindparam("account_epoch"),
        scope=bindparam("granted"),
        amr=bindparam("methods"),
        auth_time=func.coalesce(bindparam("authenticated_at", type_=UtcDateTime()), now()),
        browser_session_id=bindparam("browser_session"),
        audience=bindparam("resource"),
        user_agent=bindparam("agent"),
        address=bindparam("from"),
        created_at=now(),
        rotated_at=now(),
        idle_expires_at=after(bindparam("idle", type_=Float())),
        expires_at=after(bindparam("absolute", type_=Float())),
    )
    .returning(*_SESSION)
)
_OF_USER = session.c.user_id == bindparam("user")
_OTHERS = exists().where(_OF_USER, session.c.id != bindparam("new"))
_SAME_DEVICE = _OTHERS.where(
    session.c.user_agent.is_not_distinct_from(bindparam("agent", type_=session.c.user_agent.type)),
    session.c.address.is_not_distinct_from(bindparam("from", type_=session.c.address.type)),
)
# Where it came from a login at our pages the user was told there, and the device is the client's.
_OF_A_BROWSER = exists().where(session.c.id == bindparam("new"), session.c.browser_session_id.is_not(None))
_ON_A_NEW_DEVICE: Final = Statement(select(and_(_OTHERS, ~_SAME_DEVICE, ~_OF_A_BROWSER).label("is_new")))

_IS_REVOKED = exists().where(revocation.c.kind == RevocationKind.TOKEN, revocation.c.subject == bindparam("token"))
_TOKEN_STATE: Final = Statement(
    select(
        *PUBLIC_ACCOUNT,
        session.c.client_id,
        select(client.c.scope).where(client.c.id == session.c.client_id).scalar_subquery().label("of_client"),
        and_(*_is_live()).label("is_live"),
        _IS_REVOKED.label("is_revoked"),
        _BROWSER_ENDS_AT,
    )
    .select_from(session.join(user, user.c.id == session.c.user_id))
    .where(session.c.id == bindparam("of_session"))
)

_ALLOWED: Final = scopes_of_sessions_user().label("role_scopes")
_ROTATE: Final = Statement(
    update(session)
    .where(
        session.c.handle == bindparam("presented"),
        session.c.generation.between(bindparam("oldest"), bindparam("n")),
        session.c.client_id == bindparam("client"),
        *_is_live(),
    )
    .values(
        generation=bindparam("next"),
        lost_generations=bindparam("n") - session.c.generation,
        rotated_at=now(),
        idle_expires_at=after(bindparam("idle", type_=Float())),
        user_agent=bindparam("agent"),
        address=bindparam("from"),
    )
    .returning(*_SESSION, session.c.lost_generations, _ALLOWED)
)


@dataclass(frozen=True, slots=True)
class RefreshAttempt:
    """Somebody presents a refresh token.

    Attributes:
        token: What it says, its MAC verified.
        client_id: Who presents it.
        device: Where from.
        idle: How long the session lives without another refresh.
        leeway: How long a retry is one; zero for strict single use.
    """

    token: RefreshToken
    client_id: str
    device: Device
    idle: timedelta
    leeway: timedelta

    @property
    def call(self) -> Call:
        """One compare-and-swap that checks everything else too."""
        n = self.token.generation
        return _ROTATE(
            presented=self.token.handle,
            oldest=n - HEALED_GENERATIONS,
            n=n,
            next=n + 1,
            client=self.client_id,
            idle=self.idle.total_seconds(),
            **_where_from(self.device),
        )

    def rotated(self, row: Row) -> "Rotated":
        """What it means that it returned a row."""
        return Rotated(to_session(row), self.token.generation + 1, _scopes(row.role_scopes), row.lost_generations)


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a session starts with.

    Attributes:
        auth_time: When the user authenticated, UTC; None for now.
    """

    id: UUID
    handle: bytes
    client_id: str
    scopes: frozenset[str]
    amr: tuple[str, ...]
    device: Device
    auth_time: datetime | None = None
    browser_session_id: UUID | None = None
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long sessions live: without a refresh, and at most."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Rotated:
    """The token was the current one; the session stands at the next generation now.

    Attributes:
        role_scopes: What the user's roles allow now.
        lost_generations: How far the row was behind the token, because a failover lost commits.
    """

    session: Session
    generation: int
    role_scopes: frozenset[str]
    lost_generations: int


@dataclass(frozen=True, slots=True)
class Retried:
    """The token was used a moment ago, and its answer lost or a second tab open: its successor is still good.

    Attributes:
        role_scopes: What the user's roles allow now.
    """

    session: Session
    generation: int
    role_scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reused:
    """The token was used long ago: somebody has a copy. The session is revoked, if the transaction commits."""

    session: Session


@dataclass(frozen=True, slots=True)
class NotRotated:
    """Nothing was changed. The reason is for the log."""

    reason: str


RotationOutcome = Rotated | Retried | Reused | NotRotated


@dataclass(frozen=True, slots=True)
class TokenState:
    """What the database says about an access token's session.

    Attributes:
        account: Its user, without the password hash.
        client_id: The client it belongs to.
        client_scopes: What the client may have now; None for the first party, which may have whatever its user may.
        is_live: Whether the session is in force, and the user with it.
        is_revoked: Whether this very token was revoked.
        until: When to look again, for nobody tells: the login at our pages that it came from may have lapsed by then.
    """

    account: Account
    client_id: str
    client_scopes: frozenset[str] | None
    is_live: bool
    is_revoked: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SessionStore:
    """Reads and writes sessions on one connection."""

    _connection: AsyncConnection
    _revocations: RevocationStore

    async def add(self, new: NewSession, account: Account, lifetimes: Lifetimes) -> Session:
        """Insert a session, in a transaction that holds the account's row: `UserStore.record_login` came first."""
        return to_session((await add(new, account, lifetimes).on(self._connection)).one())

    async def rotate(self, attempt: RefreshAttempt) -> RotationOutcome:
        """Trade the token of generation *n* for that of *n + 1*: one compare-and-swap that checks everything else too.

        Of two at once, the second waits for the first, finds *n + 1*, and is a retry. Only where nothing was swapped is
        the row read, to tell a retry from a reuse; a reuse is revoked here, and the caller lets the transaction commit
        before it refuses.
        """
        row = (await attempt.call.on(self._connection)).one_or_none()
        if row is not None:
            return attempt.rotated(row)
        outcome = await self._judge(attempt)
        if isinstance(outcome, Reused):
            await self.end([outcome.session.id])
        return outcome

    async def _judge(self, attempt: RefreshAttempt) -> RotationOutcome:
        statement = select(
            *_SESSION,
            session.c.generation,
            _ALLOWED,
            and_(*_is_live()).label("is_live"),
            (session.c.rotated_at > after(-attempt.leeway)).label("is_recent"),
        ).where(session.c.handle == attempt.token.handle)
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return NotRotated("no such session")
        if row.client_id != attempt.client_id:
            return NotRotated(f"session {row.id} belongs to another client than {attempt.client_id}")
        if not row.is_live:
            return NotRotated(f"session {row.id} has ended")
        allowed = _scopes(row.role_scopes)
        presented = attempt.token.generation
        return judge(to_session(row), presented, allowed, stands_at=row.generation, is_recent=row.is_recent)

    async def find(self, handle: bytes) -> tuple[Session, int] | None:
        """The session in force with this handle, and its generation; None if there is none."""
        statement = select(*_SESSION, session.c.generation).where(session.c.handle == handle, *_is_live())
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else (to_session(row), row.generation)

    async def is_in_force(self, session_id: UUID) -> bool:
        """Whether there is such a session, and it has not ended."""
        found = await self._connection.execute(select(session.c.id).where(session.c.id == session_id, *_is_live()))
        return found.one_or_none() is not None

    async def step_up(self, session_id: UUID, *, amr: tuple[str, ...] | None) -> Session | None:
        """Note that the user of a session authenticated again, now. None if it has ended.

        Args:
            session_id: Which.
            amr: What the session is worth from now on; None where that does not change.
        """
        values = {} if amr is None else {"amr": " ".join(amr)}
        statement = update(session).where(session.c.id == session_id, *_is_live()).values(auth_time=now(), **values)
        row = (await self._connection.execute(statement.returning(*_SESSION))).one_or_none()
        return None if row is None else to_session(row)

    async def page(self, user_id: UUID, *, before: UUID | None, limit: int) -> Sequence[Session]:
        """A user's sessions in force, the newest login first."""
        statement = select(*_SESSION).where(session.c.user_id == user_id, *_is_live())
        if before is not None:
            statement = statement.where(session.c.id < before)
        rows = await self._connection.execute(statement.order_by(session.c.id.desc()).limit(limit))
        return [to_session(row) for row in rows]

    async def devices(self, user_id: UUID) -> Sequence[Device]:
        """Where a user is logged in, the newest hundred: sessions that were not ended."""
        statement = (
            select(session.c.user_agent, session.c.address)
            .where(session.c.user_id == user_id, session.c.revoked_at.is_(None))
            .order_by(session.c.id.desc())
            .limit(MOST_DEVICES)
        )
        return [Device(row.user_agent, row.address) for row in await self._connection.execute(statement)]

    async def end(self, session_ids: Sequence[UUID], *, user_id: UUID | None = None) -> Sequence[UUID]:
        """Revoke sessions, those of one user only if that is given; the ids of those that had not ended."""
        ours = [] if user_id is None else [session.c.user_id == user_id]
        return await self._end(session.c.id.in_(session_ids), *ours)

    async def end_others(
        self, user_id: UUID, *, but: UUID | None, but_of_browser: UUID | None = None
    ) -> Sequence[UUID]:
        """Revoke a user's sessions but one, or but those of a login at our pages; the ids of what had not ended."""
        is_of_browser = session.c.browser_session_id.is_not_distinct_from(but_of_browser)
        kept = [] if but_of_browser is None else [~is_of_browser]
        return await self._end(session.c.user_id == user_id, session.c.id.is_distinct_from(but), *kept)

    async def browser_of(self, session_id: UUID) -> UUID | None:
        """The login at our pages that a session came from, if it came from one."""
        statement = select(session.c.browser_session_id).where(session.c.id == session_id)
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def end_of_browser(self, browser_session_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Revoke the sessions that came from logins at our pages, but for those that may work offline; their ids.

        The clients of those are told too: their refresh tokens stay good, and the user logged out all the same
        (OpenID Connect Back-Channel Logout §2.7).
        """
        theirs = session.c.browser_session_id.in_(browser_session_ids)
        if browser_session_ids:
            await note_ended(self._connection, theirs, session.c.revoked_at.is_(None), _IS_OFFLINE, _USER_IS_IN_FORCE)
        return await self._end(theirs, ~_IS_OFFLINE)

    async def end_of_client(self, user_id: UUID, client_id: str) -> Sequence[UUID]:
        """Revoke the sessions that one user has with one client; their ids."""
        return await self._end(session.c.user_id == user_id, session.c.client_id == client_id)

    async def end_all(self) -> int:
        """Revoke every session of everybody, without a word to followers; how many there were."""
        await note_ended(self._connection, session.c.revoked_at.is_(None), _USER_IS_IN_FORCE)
        statement = update(session).where(session.c.revoked_at.is_(None)).values(revoked_at=now())
        return (await self._connection.execute(statement)).rowcount

    async def prune(self, *, limit: int) -> int:
        """Delete sessions that ended; how many there were, `limit` at most."""
        dead = (
            select(session.c.id)
            .where(or_(session.c.expires_at < after(-_MARGIN), session.c.revoked_at < after(-_MARGIN)))
            .limit(limit)
        )
        return (await self._connection.execute(delete(session).where(session.c.id.in_(dead)))).rowcount

    async def _end(self, *which: ColumnElement[bool]) -> Sequence[UUID]:
        statement = update(session).where(*which, session.c.revoked_at.is_(None)).values(revoked_at=now())
        ended: Sequence[UUID] = (await self._connection.execute(statement.returning(session.c.id))).scalars().all()
        if ended:
            await note_ended(self._connection, session.c.id.in_(ended), _USER_IS_IN_FORCE)
        await self._revocations.sessions(ended)
        return ended


def add(new: NewSession, account: Account, lifetimes: Lifetimes) -> Call:
    """Insert a session; it returns what `to_session` reads."""
    return _ADD(
        new_id=new.id,
        new_handle=new.handle,
        account_id=account.id,
        client=new.client_id,
        account_epoch=account.token_epoch,
        granted=" ".join(sorted(new.scopes)),
        methods=" ".join(new.amr),
        authenticated_at=new.auth_time,
        browser_session=new.browser_session_id,
        resource=new.audience,
        **_where_from(new.device),
        idle=lifetimes.idle.total_seconds(),
        absolute=lifetimes.absolute.total_seconds(),
    )


def token_state(session_id: UUID, token_id: str) -> Call:
    """What there is to know of an access token, in one query; it returns what `to_token_state` reads."""
    return _TOKEN_STATE(of_session=session_id, token=token_id)


def to_token_state(row: Row) -> TokenState:
    """What there is to know of an access token."""
    columns = {column.key: getattr(row, column.key) for column in PUBLIC_ACCOUNT}
    client_scopes = None if row.of_client is None else _scopes(row.of_client)
    return TokenState(to_account(columns), row.client_id, client_scopes, row.is_live, row.is_revoked, row.until)


def is_on_a_new_device(session_id: UUID, user_id: UUID, device: Device) -> Call:
    """Whether a session's user has others, and none of them was last used from this device."""
    return _ON_A_NEW_DEVICE(new=session_id, user=user_id, **_where_from(device))


def judge(
    found: Session, presented: int, role_scopes: frozenset[str], *, stands_at: int, is_recent: bool
) -> RotationOutcome:
    """What a token of its own client means that did not rotate its live session.

    Args:
        found: The session.
        presented: The token's generation.
        role_scopes: What the user's roles allow now.
        stands_at: The session's generation.
        is_recent: Whether the session was rotated within the leeway.
    """
    if presented >= stands_at:
        return NotRotated(f"session {found.id} stands at {stands_at}, too far behind a token of {presented}")
    used_since = stands_at - presented
    if is_recent and used_since == 1:
        return Retried(found, stands_at, role_scopes)
    if is_recent and used_since == 2:  # noqa: PLR2004 — a delayed duplicate: its sender got the successor long since
        return NotRotated(f"session {found.id} was refreshed again since")
    return Reused(found)


def _scopes(text: str | None) -> frozenset[str]:
    return frozenset((text or "").split())


def _where_from(device: Device) -> dict[str, str | None]:
    return {"agent": device.user_agent, "from": device.address}


def to_session(row: Row) -> Session:
    """A session from the columns that its statements return."""
    return Session(
        id=row.id,
        user_id=row.user_id,
        client_id=row.client_id,
        scopes=frozenset(row.scope.split()),
        amr=tuple(row.amr.split()),
        auth_time=row.auth_time,
        epoch=row.epoch,
        device=Device(row.user_agent, row.address),
        created_at=row.created_at,
        last_used_at=row.rotated_at,
        ends_at=row.ends_at,
        browser_session_id=row.browser_session_id,
        audience=row.audience,
    )
