"""F2: the deny-list in Redis, for other resource servers; and what happens while Redis is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from sqlalchemy import text
from tests.conftest import PASSWORD, make_settings
from tests.faults.redis_server import RedisServer

from watchword import ConfigurationError, Watchword
from watchword.crypto import base64url
from watchword.deny_list import DenyList
from watchword.errors import InvalidToken
from watchword.identity.authenticate_client import ClientCredentials
from watchword.model import Device, Principal

pytestmark = pytest.mark.anyio
ISSUER = "http://localhost:8000"
Start = Callable[..., Any]


@asynccontextmanager
async def looking_into(server: RedisServer) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(server.url, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


async def log_in(auth: Watchword[Any], email: str = "alice@example.com") -> tuple[str, Principal]:
    user = await auth.users.find(email) or await auth.users.create(email, PASSWORD)
    async with auth.open_session.storage.reading() as stores:
        account = await stores.users.get(user.id)
    assert account is not None
    first_party = await auth.use_cases.authenticate_client(ClientCredentials())
    issued = await auth.open_session(account, first_party, scopes=frozenset(), amr=("pwd",), device=Device())
    assert issued is not None
    return issued.access_token, (await auth.verify_credential(issued.access_token)).principal


async def end(auth: Watchword[Any], principal: Principal) -> UUID:
    assert principal.user_id is not None
    assert principal.session_id is not None
    await auth.sessions.end(principal.user_id, principal.session_id)
    return principal.session_id


async def appears(server: RedisServer, key: str, value: str = "1") -> None:
    async with looking_into(server) as redis:
        for _ in range(400):
            if await redis.get(key) == value:
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"{key} is not {value}: {await redis.keys('*')}")


async def test_what_is_revoked_is_in_redis_for_as_long_as_tokens_live(
    start: Start, database_url: str, redis_server: RedisServer
) -> None:
    async with start(database_url, redis_url=redis_server.url) as auth:
        _, gone = await log_in(auth)
        token, single = await log_in(auth)
        session_id = await end(auth, gone)
        token_id = json.loads(base64url.decode(token.split(".")[1]))["jti"]
        first_party = await auth.use_cases.authenticate_client(ClientCredentials())
        await auth.use_cases.revoke_token(first_party, token, Device())
        await appears(redis_server, f"{ISSUER}:revoked:sid:{session_id}")
        await appears(redis_server, f"{ISSUER}:revoked:jti:{token_id}")
        assert single.user_id is not None
        await auth.sessions.end_all(single.user_id)
        await appears(redis_server, f"{ISSUER}:epoch:{single.subject}", "1")
        async with looking_into(redis_server) as redis:
            for key in await redis.keys("*"):
                assert 15 * 60 < await redis.ttl(key) <= 25 * 60, key


async def test_another_process_exports_what_one_that_died_could_not(
    start: Start, database_url: str, redis_server: RedisServer
) -> None:
    async with start(database_url) as without, start(database_url, redis_url=redis_server.url):
        _, principal = await log_in(without)
        session_id = await end(without, principal)
        await appears(redis_server, f"{ISSUER}:revoked:sid:{session_id}")


async def test_a_redis_that_was_killed_is_filled_again_with_all_that_is_in_force(
    start: Start, database_url: str, redis_server: RedisServer
) -> None:
    async with start(database_url, redis_url=redis_server.url) as auth:
        _, before = await log_in(auth)
        _, meanwhile = await log_in(auth)
        _, after = await log_in(auth)
        first = await end(auth, before)
        await appears(redis_server, f"{ISSUER}:revoked:sid:{first}")
        redis_server.kill()
        second = await end(auth, meanwhile)
        await asyncio.sleep(1.2)  # it is noticed, and said
        redis_server.start()
        await appears(redis_server, f"{ISSUER}:revoked:sid:{first}")
        await appears(redis_server, f"{ISSUER}:revoked:sid:{second}")
        third = await end(auth, after)
        await appears(redis_server, f"{ISSUER}:revoked:sid:{third}")


async def test_what_was_revoked_while_the_feed_was_interrupted_is_exported_when_it_is_back(
    start: Start, postgresql_url: str, redis_server: RedisServer
) -> None:
    async with start(postgresql_url) as without, start(postgresql_url, redis_url=redis_server.url) as auth:
        _, principal = await log_in(without)
        await appears_nothing(redis_server)
        async with auth.open_session.storage.connection() as connection:
            listeners = "FROM pg_stat_activity WHERE query LIKE '%pg_current_snapshot%' AND pid <> pg_backend_pid()"
            ours = "AND datname = current_database()"
            await connection.execute(text(f"SELECT count(pg_terminate_backend(pid)) {listeners} {ours}"))
        session_id = await end(without, principal)  # nobody who exports is told
        await appears(redis_server, f"{ISSUER}:revoked:sid:{session_id}")


async def appears_nothing(server: RedisServer) -> None:
    async with looking_into(server) as redis:
        assert await redis.keys("*") == []


async def test_without_redis_it_starts_says_so_once_and_no_revoked_token_is_let_in(
    start: Start, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(database_url, redis_url=f"unix://{tmp_path}/nobody.sock") as auth:
        token, principal = await log_in(auth)
        await auth.verify_credential(token)
        await end(auth, principal)
        with pytest.raises(InvalidToken):
            await auth.verify_credential(token)
        await asyncio.sleep(1.3)
    said = [record for record in caplog.records if record.name == "watchword.deny_list"]
    assert [record.getMessage() for record in said] == ["the deny-list is not exported: ConnectionError"]


async def test_an_epoch_never_goes_down_whoever_writes_last(
    start: Start, database_url: str, redis_server: RedisServer
) -> None:
    async with start(database_url, redis_url=redis_server.url) as auth, looking_into(redis_server) as redis:
        _, principal = await log_in(auth)
        assert principal.user_id is not None
        key = f"{ISSUER}:epoch:{principal.subject}"
        await redis.set(key, "7")
        await auth.sessions.end_all(principal.user_id)
        _, later = await log_in(auth)
        session_id = await end(auth, later)  # in order: what came before it was written
        await appears(redis_server, f"{ISSUER}:revoked:sid:{session_id}")
        assert await redis.get(key) == "7"


async def test_it_ends_when_it_is_told_to_whatever_it_waits_for(
    start: Start, sqlite_url: str, redis_server: RedisServer
) -> None:
    """A client that waits with Python 3.11's `wait_for` loses a cancellation that comes together with the answer."""
    async with start(sqlite_url) as auth:
        await end(auth, (await log_in(auth))[1])
        storage = auth.open_session.storage
        for turns in range(100):
            async with asyncio.timeout(20), DenyList(redis_server.url, issuer=ISSUER, storage=storage).exporting():
                for _ in range(turns):
                    await asyncio.sleep(0)


def test_without_the_package_it_says_what_to_install(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from watchword.deny_list import DenyList
    from watchword.storage import open_database

    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"install watchword\[redis\]"):
        DenyList("redis://localhost", issuer=ISSUER, storage=open_database(make_settings(sqlite_url)))


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis:/x"])
def test_an_address_that_is_no_redis_is_refused(sqlite_url: str, url: str) -> None:
    with pytest.raises(ValueError, match="must start with redis://"):
        make_settings(sqlite_url, redis_url=url)
