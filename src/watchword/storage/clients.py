"""The client store: registered clients, their secrets, and the assertions they authenticated with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from watchword.model import Client, ClientAuthMethod, ClientSecret, RevocationKind
from watchword.storage.clock import now
from watchword.storage.revocations import RevocationStore
from watchword.storage.statements import insert_for
from watchword.storage.tables import client, client_assertion, client_secret, redirect_uri, revocation

MOST_SECRETS: Final = 2
"""How many secrets a client may have at a time: the one in use, and the one that follows it."""

_MARGIN: Final = timedelta(minutes=10)  # rows stay so long, for clocks that differ
_SECRET_IS_GOOD = or_(client_secret.c.expires_at.is_(None), client_secret.c.expires_at > now())


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret, as it is stored: a digest that gives nothing away, and when it ends."""

    digest: bytes = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client, and the secrets that are good now."""

    client: Client
    secrets: tuple[StoredSecret, ...]


@dataclass(frozen=True, slots=True)
class ClientTokenState:
    """What the database says about an access token that a client got for itself.

    Attributes:
        scopes: What the client may have now.
        is_active: Whether the client is.
        is_revoked: Whether this very token was revoked.
    """

    scopes: frozenset[str]
    is_active: bool
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class ClientStore:
    """Reads and writes clients on one connection. What changes one is told to those who remember it."""

    _connection: AsyncConnection
    _revocations: RevocationStore

    async def add(self, new: Client, *, secret: tuple[UUID, bytes] | None) -> Client:
        """Insert a client, whose id is new, and the id and digest of its first secret."""
        statement = client.insert().values(id=new.id, created_at=now(), is_active=new.is_active, **_columns(new))
        row = (await self._connection.execute(statement.returning(client))).one()
        await self._set_redirect_uris(new)
        if secret is not None:
            await self._insert_secret(new.id, *secret, expires_at=None)
        return _client(row, new.redirect_uris)

    async def find(self, client_id: str) -> RegisteredClient | None:
        """A client and its secrets, to authenticate it; None if there is none."""
        statement = (
            select(client, client_secret.c.digest, client_secret.c.expires_at)
            .select_from(
                client.outerjoin(client_secret, and_(client_secret.c.client_id == client.c.id, _SECRET_IS_GOOD))
            )
            .where(client.c.id == client_id)
        )
        rows = (await self._connection.execute(statement)).all()
        if not rows:
            return None
        uris = await self._redirect_uris([client_id])
        secrets = tuple(StoredSecret(row.digest, row.expires_at) for row in rows if row.digest is not None)
        return RegisteredClient(_client(rows[0], uris.get(client_id, frozenset())), secrets)

    async def get(self, client_id: str, *, lock: bool = False) -> Client | None:
        """The client with this id, on demand locked until the transaction ends; None if there is none."""
        statement = select(client).where(client.c.id == client_id)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).one_or_none()
        if row is None:
            return None
        uris = await self._redirect_uris([client_id])
        return _client(row, uris.get(client_id, frozenset()))

    async def page(self, *, after_id: str | None, limit: int) -> Sequence[Client]:
        """The next clients in the order they were registered, which is that of their ids."""
        statement = select(client).order_by(client.c.id).limit(limit)
        if after_id is not None:
            statement = statement.where(client.c.id > after_id)
        rows = (await self._connection.execute(statement)).all()
        uris = await self._redirect_uris([row.id for row in rows])
        return [_client(row, uris.get(row.id, frozenset())) for row in rows]

    async def replace(self, changed: Client) -> None:
        """Write what a client is now, all but whether it is active. It was locked and read in this transaction."""
        await self._connection.execute(update(client).where(client.c.id == changed.id).values(**_columns(changed)))
        await self._connection.execute(delete(redirect_uri).where(redirect_uri.c.client_id == changed.id))
        await self._set_redirect_uris(changed)
        if not changed.auth_method.has_secret:
            await self._connection.execute(delete(client_secret).where(client_secret.c.client_id == changed.id))
        await self._revocations.client(changed.id)

    async def set_active(self, client_id: str, *, active: bool) -> bool:
        """Enable or disable. False where that changes nothing, or there is no such client."""
        statement = update(client).where(client.c.id == client_id, client.c.is_active != active)
        result = await self._connection.execute(statement.values(is_active=active))
        if result.rowcount:
            await self._revocations.client(client_id)
        return result.rowcount == 1

    async def delete(self, client_id: str) -> bool:
        """Delete a client with all that is its own. False if there was none."""
        result = await self._connection.execute(delete(client).where(client.c.id == client_id))
        if result.rowcount:
            await self._revocations.client(client_id)
        return result.rowcount == 1

    async def secrets(self, client_id: str) -> Sequence[ClientSecret]:
        """The secrets of a client that are good now, the oldest first."""
        columns = (
            client_secret.c.id,
            client_secret.c.client_id,
            client_secret.c.created_at,
            client_secret.c.expires_at,
        )
        statement = select(*columns).where(client_secret.c.client_id == client_id, _SECRET_IS_GOOD)
        rows = await self._connection.execute(statement.order_by(client_secret.c.id))
        return [ClientSecret(**row._mapping) for row in rows]  # noqa: SLF001 — SQLAlchemy's public name for it

    async def add_secret(self, client_id: str, secret_id: UUID, digest: bytes, *, expires_at: datetime | None) -> bool:
        """Add a secret. False if the client has as many as it may have.

        The transaction holds the client's row: of two at once, the second counts the first.
        """
        theirs = client_secret.c.client_id == client_id
        await self._connection.execute(delete(client_secret).where(theirs, client_secret.c.expires_at <= now()))
        count = (
            await self._connection.execute(select(func.count()).select_from(client_secret).where(theirs))
        ).scalar_one()
        if count >= MOST_SECRETS:
            return False
        await self._insert_secret(client_id, secret_id, digest, expires_at=expires_at)
        await self._revocations.client(client_id)
        return True

    async def remove_secret(self, client_id: str, secret_id: UUID) -> bool:
        """Remove a secret. False if the client has no such one."""
        statement = delete(client_secret).where(client_secret.c.client_id == client_id, client_secret.c.id == secret_id)
        result = await self._connection.execute(statement)
        if result.rowcount:
            await self._revocations.client(client_id)
        return result.rowcount == 1

    async def use_assertion(self, client_id: str, jti_digest: bytes, *, expires_at: int) -> bool:
        """Note that an assertion was used. False if it was before; of several at once, the database lets one in.

        Args:
            client_id: Whose it is.
            jti_digest: The SHA-256 of its `jti`.
            expires_at: Its `exp`, Unix time in seconds.
        """
        statement = (
            insert_for(self._connection, client_assertion)
            .values(
                client_id=client_id, jti_digest=jti_digest, expires_at=datetime.fromtimestamp(expires_at, UTC) + _MARGIN
            )
            .on_conflict_do_nothing()
            .returning(client_assertion.c.client_id)
        )
        try:
            return (await self._connection.execute(statement)).one_or_none() is not None
        except IntegrityError:  # the client was deleted since it was read
            return False

    async def prune_assertions(self, *, limit: int) -> int:
        """Delete the assertions that have expired; how many there were, `limit` at most."""
        key = (client_assertion.c.client_id, client_assertion.c.jti_digest)
        expired = select(*key).where(client_assertion.c.expires_at < now()).limit(limit)
        return (await self._connection.execute(delete(client_assertion).where(tuple_(*key).in_(expired)))).rowcount

    async def token_state(self, client_id: str, token_id: str) -> ClientTokenState | None:
        """What there is to know of a client's own access token, in one query; None where there is no such client."""
        revoked = exists().where(revocation.c.kind == RevocationKind.TOKEN, revocation.c.subject == token_id)
        statement = select(client.c.scope, client.c.is_active, revoked.label("is_revoked")).where(
            client.c.id == client_id
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else ClientTokenState(_set(row.scope), row.is_active, row.is_revoked)

    async def _insert_secret(
        self, client_id: str, secret_id: UUID, digest: bytes, *, expires_at: datetime | None
    ) -> None:
        values = {"id": secret_id, "client_id": client_id, "digest": digest, "expires_at": expires_at}
        await self._connection.execute(client_secret.insert().values(**values, created_at=now()))

    async def _redirect_uris(self, client_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        statement = select(redirect_uri.c.client_id, redirect_uri.c.uri).where(redirect_uri.c.client_id.in_(client_ids))
        found: dict[str, set[str]] = {}
        for row in await self._connection.execute(statement):
            found.setdefault(row.client_id, set()).add(row.uri)
        return {client_id: frozenset(uris) for client_id, uris in found.items()}

    async def _set_redirect_uris(self, of: Client) -> None:
        rows = [{"client_id": of.id, "uri": uri} for uri in sorted(of.redirect_uris)]
        if rows:
            await self._connection.execute(redirect_uri.insert(), rows)


def _columns(of: Client) -> dict[str, Any]:
    return {
        "name": of.name,
        "is_public": of.is_public,
        "grants": " ".join(sorted(of.grants)),
        "scope": " ".join(sorted(of.scopes)),
        "auth_method": of.auth_method.value,
        "jwks": None if of.jwks is None else dict(of.jwks),
        "access_token_seconds": _seconds(of.access_token_lifetime),
        "refresh_idle_seconds": _seconds(of.refresh_idle_lifetime),
        "is_first_party": of.is_first_party,
        "id_token_algorithm": of.id_token_algorithm,
        "post_logout_redirect_uris": " ".join(sorted(of.post_logout_redirect_uris)),
        "backchannel_logout_uri": of.backchannel_logout_uri,
        "resources": " ".join(sorted(of.resources)),
    }


def _client(row: Any, redirect_uris: frozenset[str]) -> Client:  # noqa: ANN401 — a row of the client table
    return Client(
        id=row.id,
        name=row.name,
        is_public=row.is_public,
        is_active=row.is_active,
        grants=_set(row.grants),
        scopes=_set(row.scope),
        redirect_uris=redirect_uris,
        auth_method=ClientAuthMethod(row.auth_method),
        jwks=row.jwks,
        access_token_lifetime=_duration(row.access_token_seconds),
        refresh_idle_lifetime=_duration(row.refresh_idle_seconds),
        is_first_party=row.is_first_party,
        id_token_algorithm=row.id_token_algorithm,
        post_logout_redirect_uris=_set(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        resources=_set(row.resources),
        created_at=row.created_at,
    )


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else int(duration.total_seconds())


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
