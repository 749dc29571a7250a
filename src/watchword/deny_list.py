"""The deny-list in Redis, for resource servers that are not Watchword. Our own guards do not need it.

| key | value | means |
| --- | --- | --- |
| `{issuer}:revoked:jti:{jti}` | `1` | this access token is revoked |
| `{issuer}:revoked:sid:{sid}` | `1` | every token of this session is revoked |
| `{issuer}:epoch:{sub}` | a number | tokens of this user with a lower `epoch` are revoked |

Each process writes what it hears of; writing twice changes nothing. After Redis was away, all that is in force is
written again from the database.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NoReturn

from watchword.background import in_background
from watchword.errors import StorageDown
from watchword.model import Revocation, RevocationKind
from watchword.redis_client import open_redis
from watchword.storage import Database

_log: Final = logging.getLogger("watchword.deny_list")
_PAGE: Final = 1000
_PING_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 2.0

# What names a token or a session. Word of a client, a role or an API key is for those who can ask the database.
_CLAIMS: Final = {RevocationKind.SESSION: "sid", RevocationKind.TOKEN: "jti"}
# An epoch only goes up: processes write in any order.
_RAISE: Final = """
local known = tonumber(redis.call('GET', KEYS[1]) or '-1')
if tonumber(ARGV[1]) > known then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif tonumber(ARGV[1]) == known and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
"""


class DenyList:
    """Exports revocations.

    Args:
        url: The address of the Redis.
        issuer: What its keys begin with.
        storage: Where everything in force is read from, at the start and after Redis was away.

    Raises:
        ConfigurationError: The package `redis` is not installed, or the address unusable.
    """

    def __init__(self, url: str, *, issuer: str, storage: Database) -> None:
        # One connection: a Redis that was restarted has forgotten, and is filled again. How long it may take to answer
        # is watched here: the client would use `wait_for`, which may swallow a cancellation on Python 3.11.
        self._redis = open_redis(url, timeout=_TIMEOUT_SECONDS, socket_timeout=None, single_connection_client=True)
        self._issuer = issuer
        self._storage = storage
        self._new: asyncio.Queue[Sequence[Revocation]] = asyncio.Queue()
        self._is_connected = False

    def put(self, revocations: Sequence[Revocation]) -> None:
        """Export these soon; nobody waits for it. While Redis is away they are left to the next filling."""
        if self._is_connected:
            self._new.put_nowait(revocations)

    @asynccontextmanager
    async def exporting(self) -> AsyncIterator[None]:
        """Export in the background, within a block. Redis may be away: it is said in the log, and nothing else."""
        try:
            async with in_background(self._run(), name="deny-list"):
                yield
        finally:
            await self._redis.aclose()

    async def _run(self) -> NoReturn:
        from redis.exceptions import RedisError

        is_said = False
        while True:
            try:
                await self._ping()
                self._is_connected = True  # what is revoked from now on is queued, what was before is in the table
                await self._fill()
                _log.info("the deny-list is in Redis")
                is_said = False
                while True:
                    await self._export_next()
            except (RedisError, OSError, StorageDown) as error:
                if not is_said:
                    _log.warning("the deny-list is not exported: %s", type(error).__name__)
                is_said = True
            except Exception:  # noqa: BLE001 — an export that stops would never come back
                _log.exception("the deny-list is not exported")
            self._is_connected = False
            self._new = asyncio.Queue()
            await asyncio.sleep(_PING_SECONDS)

    async def _fill(self) -> None:
        last = 0
        while True:
            async with self._storage.reading() as stores:
                page = await stores.revocations.in_force(after_id=last, limit=_PAGE)
            if not page:
                return
            await self._write((revocation, seconds) for _, revocation, seconds in page)
            last = page[-1][0]

    async def _export_next(self) -> None:
        try:
            async with asyncio.timeout(_PING_SECONDS):
                revocations = await self._new.get()
        except TimeoutError:
            await self._ping()
            return
        if any(revocation.kind is RevocationKind.EVERYTHING for revocation in revocations):
            await self._fill()
        kept_for = self._storage.revocations_kept_for.total_seconds()
        await self._write((revocation, kept_for) for revocation in revocations)

    async def _write(self, revocations: Iterable[tuple[Revocation, float]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for revocation, seconds in revocations:
                milliseconds = max(1, int(seconds * 1000))
                if revocation.kind is RevocationKind.USER:
                    key = f"{self._issuer}:epoch:{revocation.subject}"
                    pipeline.eval(_RAISE, 1, key, str(revocation.epoch), str(milliseconds))
                elif claim := _CLAIMS.get(revocation.kind):
                    pipeline.set(f"{self._issuer}:revoked:{claim}:{revocation.subject}", "1", px=milliseconds)
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await pipeline.execute()

    async def _ping(self) -> None:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await self._redis.ping()
