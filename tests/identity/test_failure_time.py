"""While dearer hashes are stored, a failed login takes as long as they do."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher

from watchword import Watchword
from watchword.crypto.ids import new_id
from watchword.crypto.passwords import scheme_of
from watchword.crypto.schemes import Pbkdf2, Scheme
from watchword.errors import InvalidGrant
from watchword.identity.authenticate_user import AuthenticateUser, new_hash
from watchword.model import NewHash
from watchword.storage.users import NewAccount

pytestmark = pytest.mark.anyio


def authenticator(auth: Watchword[Any]) -> AuthenticateUser:
    grant: Any = auth.use_cases.grants["password"]
    found: AuthenticateUser = grant.authenticate_user
    return found


async def seconds_of_a_failure(auth: Watchword[Any], email: str = "nobody@example.com") -> float:
    started = time.perf_counter()
    with pytest.raises(InvalidGrant):
        await authenticator(auth)(email, "a wrong password")
    return time.perf_counter() - started


async def test_an_unknown_user_takes_as_long_as_the_dearest_stored_hash(
    start: Callable[..., Any], sqlite_url: str
) -> None:
    async with start(sqlite_url) as auth:
        dear = new_hash(BcryptHasher(rounds=10).hash("whatever it is"))
        async with auth.open_session.storage.transaction() as stores:
            await stores.users.add(NewAccount(new_id(), "b@example.com", "b@example.com", dear, {}))
        failure_time = authenticator(auth).failure_time
        await failure_time.reload()
        dearest = failure_time._dearest
        assert dearest > 0
        assert await seconds_of_a_failure(auth) >= dearest * 0.99


async def test_of_many_failures_at_once_one_measures_what_an_import_brought(
    start: Callable[..., Any], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(sqlite_url) as auth:
        await auth.users.create("a@example.com", password_hash=f"$pbkdf2-sha256$i=200000,l=32$c2FsdA${'A' * 43}")
        failure_time = authenticator(auth).failure_time
        measured: list[str] = []
        original = failure_time._measure

        async def watch(scheme: Scheme) -> float:
            measured.append(str(scheme))
            return await original(scheme)

        monkeypatch.setattr(failure_time, "_measure", watch)
        seconds = await asyncio.gather(*(seconds_of_a_failure(auth) for _ in range(10)))
        assert sorted(measured) == ["$argon2id$v=19$m=7168,t=1,p=1", "$pbkdf2-sha256$i=200000,l=32"]
        assert min(seconds) >= failure_time._measured[Pbkdf2("sha256", 200_000, 32)]


async def test_nothing_is_waited_for_where_all_hashes_are_of_one_cost(
    start: Callable[..., Any], sqlite_url: str
) -> None:
    async with start(sqlite_url) as auth:
        await auth.users.create("a@example.com", "a long enough password")
        await authenticator(auth).failure_time.reload()
        assert authenticator(auth).failure_time._dearest == 0


async def test_a_known_user_with_a_cheaper_hash_fails_no_sooner_than_an_unknown_one(
    start: Callable[..., Any], sqlite_url: str
) -> None:
    async with start(sqlite_url, password_cost="m=19456,t=8,p=1") as auth:
        cheap = BcryptHasher(rounds=4).hash("whatever it is")
        await auth.users.create("a@example.com", password_hash=cheap)
        failure_time = authenticator(auth).failure_time
        await failure_time.reload()
        configured = failure_time._measured[authenticator(auth).hashing.hasher.scheme]
        assert await seconds_of_a_failure(auth, "a@example.com") >= configured


@pytest.mark.parametrize("email", ["nobody@example.com", "odd@example.com", "none@example.com"])
async def test_who_has_no_hash_that_can_be_verified_costs_one_at_the_configured_cost(
    start: Callable[..., Any], sqlite_url: str, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    async with start(sqlite_url) as auth:
        async with auth.open_session.storage.transaction() as stores:
            odd = NewHash("$1$salt$md5crypt", "$1")
            await stores.users.add(NewAccount(new_id(), "odd@example.com", "odd@example.com", odd, {}))
            await stores.users.add(NewAccount(new_id(), "none@example.com", "none@example.com", None, {}))
        hasher = authenticator(auth).hashing.hasher
        verified: list[str] = []
        original = hasher.verify

        def watch(password: str, encoded: str) -> bool:
            verified.append(encoded)
            return original(password, encoded)

        monkeypatch.setattr(hasher, "verify", watch)
        await authenticator(auth).failure_time.reload()
        verified.clear()
        await seconds_of_a_failure(auth, email)
        assert [scheme_of(encoded) for encoded in verified] == [hasher.scheme]
