"""Make an API key, or the next one in the place of one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from watchword.crypto import opaque_tokens
from watchword.crypto.ids import new_id
from watchword.errors import InvalidInput, InvalidScope, InvalidToken, NotFound, TooManyApiKeys
from watchword.events import OPERATOR, ApiKeyCreated, ApiKeyRevoked, By, Events
from watchword.identity.scopes import ScopeCatalogue
from watchword.model import API_KEY_PREFIX, RESERVED_SCOPES, ApiKey, CreatedApiKey, Owner, Principal
from watchword.settings import format_duration
from watchword.storage import Database, Stores
from watchword.storage.api_keys import NewApiKey

MOST_KEYS: Final = 100
"""Keys in force that an owner may have."""

_DEFAULT_LIFETIME: Final = timedelta(days=90)
_LONGEST_NAME: Final = 100
_HINT_CHARACTERS: Final = 4


@dataclass(frozen=True, slots=True)
class ApiKeyRequest:
    """What is asked for.

    Attributes:
        owner: A user's id, or a client's.
        name: What the owner calls it: 1 to 100 printable characters.
        scopes: What it may do, each named.
        lifetime: How long; None for 90 days.
        asking: The login that asks, which gives no more than it has; None where the host or an operator does.
    """

    owner: Owner
    name: str
    scopes: frozenset[str]
    lifetime: timedelta | None = None
    asking: Principal | None = None


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Makes keys that are never wider than their owner."""

    storage: Database
    scopes: ScopeCatalogue
    max_lifetime: timedelta
    events: Events

    async def __call__(self, request: ApiKeyRequest, *, by: By = OPERATOR) -> CreatedApiKey:
        """Make it.

        Raises:
            InvalidInput: The name, the scopes or the lifetime cannot be.
            InvalidScope: A scope is reserved, or more than the owner or the login has.
            NotFound: There is no such owner, or they are disabled.
            InvalidToken: The login that asks has ended meanwhile.
            TooManyApiKeys: The owner has a hundred.
            StorageDown: The database does not answer.
        """
        lifetime = self._check(request)
        async with self.storage.transaction() as stores:
            # It locks the owner's row: a change of the password, or a hundred and first key, waits or was seen here.
            allowed = await self._owners_scopes(stores, request.owner)
            if not request.scopes <= allowed:
                raise InvalidScope(f"a key with {len(request.scopes - allowed)} scopes that {request.owner} has not")
            if request.asking is not None:
                await _refuse_ended(stores, request.asking)
            created = await _add(stores, request.owner, request.name, request.scopes, lifetime)
        await self._tell(created.key, by)
        return created

    async def rotate(self, key_id: UUID, *, grace: timedelta = timedelta(0), by: By = OPERATOR) -> CreatedApiKey:
        """Make a key with the owner, the name, the scopes and the end of another, which ends in its stead.

        Args:
            key_id: The other one.
            grace: How long both are good; the old one never longer than it was before.
            by: On whose behalf.

        Raises:
            InvalidInput: The grace cannot be.
            NotFound: No such key is in force, or its owner is disabled.
            TooManyApiKeys: Both are to be good, and the owner has a hundred.
            StorageDown: The database does not answer.
        """
        if not timedelta(0) <= grace <= self.max_lifetime:
            raise InvalidInput(text=f"grace: must be at most {format_duration(self.max_lifetime)}")
        async with self.storage.transaction() as stores:
            old = await stores.api_keys.get(key_id)
            if old is None:
                raise _no_key(key_id)
            # It locks the owner's row, as above; meanwhile the old key may have ended.
            await self._owners_scopes(stores, old.owner)
            keys = stores.api_keys
            ending = await (keys.end_after(key_id, grace) if grace else keys.revoke(key_id))
            if ending is None:
                raise _no_key(key_id)
            created = await _add(stores, old.owner, old.name, old.scopes, old.expires_at)
        await self._tell(created.key, by, replaces=key_id)
        ends_at = ending.expires_at if grace else None
        await self.events.emit(ApiKeyRevoked.of(ending, by.device, actor=by.actor, ends_at=ends_at))
        return created

    async def _tell(self, key: ApiKey, by: By, *, replaces: UUID | None = None) -> None:
        scopes = tuple(sorted(key.scopes))
        created = ApiKeyCreated.of(
            key, by.device, actor=by.actor, scopes=scopes, expires_at=key.expires_at, replaces=replaces
        )
        await self.events.emit(created)

    def _check(self, request: ApiKeyRequest) -> timedelta:
        """The checks that need no database; returns the lifetime."""
        name = request.name
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InvalidInput(text=f"name: must be 1 to {_LONGEST_NAME} printable characters")
        if not request.scopes:
            raise InvalidInput(text="scopes: at least one must be named")
        if reserved := request.scopes & RESERVED_SCOPES:
            raise InvalidScope(f"a key with the reserved scopes {sorted(reserved)}")
        if request.asking is not None and (wider := request.scopes - request.asking.scopes):
            raise InvalidScope(f"a key with {len(wider)} scopes more than the login that makes it")
        lifetime = request.lifetime or min(_DEFAULT_LIFETIME, self.max_lifetime)
        if not timedelta(0) < lifetime <= self.max_lifetime:
            raise InvalidInput(text=f"expires_in: must be at most {format_duration(self.max_lifetime)}")
        return lifetime

    async def _owners_scopes(self, stores: Stores, owner: Owner) -> frozenset[str]:
        if isinstance(owner, UUID):
            account = await stores.users.lock(owner)
            if account is None or not account.is_active:
                raise NotFound(f"no active user {owner}", text="There is no such user, or they are disabled")
            return self.scopes.allowed_for(account)
        client = await stores.clients.get(owner, lock=True)
        if client is None or not client.is_active:
            raise NotFound("no such active client", text="There is no such client, or it is disabled")
        return client.scopes


async def _add(
    stores: Stores, owner: Owner, name: str, scopes: frozenset[str], end: timedelta | datetime
) -> CreatedApiKey:
    """In a transaction that holds the owner's row."""
    if await stores.api_keys.count(owner) >= MOST_KEYS:
        raise TooManyApiKeys(f"{owner} has {MOST_KEYS} API keys")
    secret = opaque_tokens.new(API_KEY_PREFIX)
    digest = opaque_tokens.digest(API_KEY_PREFIX, secret)
    hint = f"{API_KEY_PREFIX}…{secret[-_HINT_CHARACTERS:]}"
    return CreatedApiKey(await stores.api_keys.add(NewApiKey(new_id(), digest, hint, name, owner, scopes, end)), secret)


def _no_key(key_id: UUID) -> NotFound:
    return NotFound(f"no API key {key_id} in force", text="There is no such API key in force")


async def _refuse_ended(stores: Stores, asking: Principal) -> None:
    # A logout or a new password may have come between the guard and here; the key would outlive it.
    if asking.session_id is None or not await stores.sessions.is_in_force(asking.session_id):
        raise InvalidToken(f"session {asking.session_id} ended before its key was made")
