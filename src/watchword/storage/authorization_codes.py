"""The store of authorization codes: a digest, whom it is for, and for how long it is good."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.storage.clock import after, now
from watchword.storage.tables import authorization_code

LIFETIME: Final = timedelta(seconds=60)
_MARGIN: Final = timedelta(minutes=10)  # rows stay so long, to know a second use for what it is


@dataclass(frozen=True, slots=True)
class NewCode:
    """What a code is bound to.

    Attributes:
        digest: That of the code.
        scopes: What it will grant.
        claims: Names of claims that are to be in the ID token.
    """

    digest: bytes = field(repr=False)
    client_id: str
    user_id: UUID
    browser_session_id: UUID
    redirect_uri: str
    code_challenge: str
    scopes: frozenset[str]
    audience: str | None
    nonce: str | None = field(repr=False)
    claims: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredCode(NewCode):
    """A code as it is stored.

    Attributes:
        session_id: The session that it gave; None while it was not redeemed.
    """

    session_id: UUID | None


@dataclass(frozen=True, slots=True)
class AuthorizationCodeStore:
    """Reads and writes authorization codes on one connection."""

    _connection: AsyncConnection

    async def add(self, new: NewCode) -> bool:
        """Insert a code. False if its client or its user is gone."""
        statement = authorization_code.insert().values(
            digest=new.digest,
            client_id=new.client_id,
            user_id=new.user_id,
            browser_session_id=new.browser_session_id,
            redirect_uri=new.redirect_uri,
            code_challenge=new.code_challenge,
            scope=" ".join(sorted(new.scopes)),
            audience=new.audience,
            nonce=new.nonce,
            claims=sorted(new.claims),
            created_at=now(),
            expires_at=after(LIFETIME),
        )
        try:
            await self._connection.execute(statement)
        except IntegrityError:
            return False
        return True

    async def find(self, digest: bytes) -> StoredCode | None:
        """The code with this digest, whether it is still good or not; None if there is none."""
        statement = select(authorization_code).where(authorization_code.c.digest == digest)
        row = (await self._connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return StoredCode(
            digest=row.digest,
            client_id=row.client_id,
            user_id=row.user_id,
            browser_session_id=row.browser_session_id,
            redirect_uri=row.redirect_uri,
            code_challenge=row.code_challenge,
            scopes=frozenset(row.scope.split()),
            audience=row.audience,
            nonce=row.nonce,
            claims=frozenset(row.claims or ()),
            session_id=row.session_id,
        )

    async def redeem(self, digest: bytes, *, session_id: UUID) -> bool:
        """Use a code up for a session. False if it was used or has expired: of many at once, one gets True."""
        statement = (
            update(authorization_code)
            .where(
                authorization_code.c.digest == digest,
                authorization_code.c.redeemed_at.is_(None),
                authorization_code.c.expires_at > now(),
            )
            .values(redeemed_at=now(), session_id=session_id)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def discard(self, user_id: UUID, client_id: str) -> None:
        """Delete the codes of one user for one client."""
        await self._connection.execute(
            delete(authorization_code).where(
                authorization_code.c.user_id == user_id, authorization_code.c.client_id == client_id
            )
        )

    async def prune(self, *, limit: int) -> int:
        """Delete codes that expired a while ago; how many there were, `limit` at most."""
        old = select(authorization_code.c.digest).where(authorization_code.c.expires_at < after(-_MARGIN)).limit(limit)
        statement = delete(authorization_code).where(authorization_code.c.digest.in_(old))
        return (await self._connection.execute(statement)).rowcount
