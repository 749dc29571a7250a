"""Hashing takes long and holds no connection: what happens to a login when the account changes meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher
from tests.conftest import EMAIL, PASSWORD, Client, make_settings

from watchword import Watchword
from watchword.crypto.ids import new_id
from watchword.identity.authenticate_user import new_hash
from watchword.model import Account
from watchword.storage.users import NewAccount, UserStore


@pytest.fixture
def auth(database_url: str) -> Watchword[Any]:
    return Watchword(make_settings(database_url, hashing_threads=1))


@pytest.fixture
def in_store(client: Client, auth: Watchword[Any]) -> Callable[[Callable[[UserStore], Any]], Any]:
    """Runs something on the user store, in the app's own event loop."""

    def run(use: Callable[[UserStore], Any]) -> Any:
        async def inside() -> Any:
            async with auth.open_session.storage.transaction() as stores:
                return await use(stores.users)

        assert client.portal is not None
        return client.portal.call(inside)

    return run


@contextmanager
def login_waiting_in_the_queue(client: Client, auth: Watchword[Any]) -> Iterator[Future[Any]]:
    """A login that has read its user and waits for the one hashing thread, which is busy until the block ends."""
    executor = auth.use_cases.change_password.hashing._executor
    release = threading.Event()
    executor.submit(release.wait)
    with ThreadPoolExecutor(1) as requests:
        answer = requests.submit(client.ask_token)
        deadline = time.monotonic() + 10
        while executor._work_queue.qsize() == 0 and time.monotonic() < deadline:
            time.sleep(0.005)
        try:
            yield answer
        finally:
            release.set()


def store_bcrypt_user(in_store: Any) -> UUID:
    old = new_hash(BcryptHasher(rounds=4).hash(PASSWORD))
    account: Account = in_store(lambda users: users.add(NewAccount(new_id(), EMAIL, EMAIL, old, {})))
    return account.id


def test_a_login_that_waits_while_the_user_is_disabled_gets_nothing(
    client: Client, auth: Watchword[Any], in_store: Any
) -> None:
    user_id = store_bcrypt_user(in_store)
    with login_waiting_in_the_queue(client, auth) as login:
        in_store(lambda users: users.set_active(user_id, active=False))
    assert login.result().status_code == 400
    assert login.result().json()["error"] == "invalid_grant"
    assert in_store(lambda users: users.get(user_id)).password_hash.startswith("$2b$")


def test_a_login_that_waits_while_the_password_changes_gets_nothing_and_overwrites_nothing(
    client: Client, auth: Watchword[Any], in_store: Any
) -> None:
    user_id = store_bcrypt_user(in_store)
    changed = new_hash(BcryptHasher(rounds=4).hash("another long password"))
    with login_waiting_in_the_queue(client, auth) as login:
        before = in_store(lambda users: users.get(user_id))
        assert in_store(lambda users: users.replace_password(before, changed))
    assert login.result().status_code == 400
    assert login.result().json()["error"] == "invalid_grant"
    assert in_store(lambda users: users.get(user_id)).password_hash == changed.encoded


def test_a_login_that_waits_while_the_user_is_deleted_gets_nothing(
    client: Client, auth: Watchword[Any], in_store: Any
) -> None:
    user_id = store_bcrypt_user(in_store)
    with login_waiting_in_the_queue(client, auth) as login:
        in_store(lambda users: users.delete(user_id))
    assert login.result().json()["error"] == "invalid_grant"


def test_logins_at_once_upgrade_a_hash_and_all_succeed(client: Client, in_store: Any) -> None:
    user_id = store_bcrypt_user(in_store)
    with ThreadPoolExecutor(2) as requests:
        answers = [future.result() for future in [requests.submit(client.ask_token) for _ in range(2)]]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert in_store(lambda users: users.get(user_id)).password_hash.startswith("$argon2id$")
    assert client.ask_token().status_code == 200
