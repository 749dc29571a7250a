"""F1 and F8: the database goes away, or has no connection left, and comes back."""

import asyncio
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import EMAIL, PASSWORD, Client, PostgreSQL, make_app, make_settings

from watchword import ConfigurationError, Watchword
from watchword.errors import StorageDown
from watchword.storage import Database
from watchword.storage.direct import DirectPostgresql

FORM = {"grant_type": "password", "username": EMAIL, "password": PASSWORD}


def assert_down(client: Client, headers: dict[str, str]) -> None:
    """Nobody is let in, nothing is issued, and everybody is told to come back."""
    answer = client.post("/auth/token", data=FORM)
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"] == "temporarily_unavailable"
    assert "access_token" not in answer.json()
    assert int(answer.headers["retry-after"]) >= 1
    answer = client.get("/mine", headers=headers)
    assert answer.status_code == 503, answer.text
    assert answer.json() == {"detail": "The service is temporarily unavailable"}
    assert int(answer.headers["retry-after"]) >= 1
    answer = client.post("/auth/users", json={"email": "new@example.com", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
    answer = client.post("/auth/logout", headers=headers)
    assert answer.status_code == 503, answer.text


def assert_up(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/mine", headers=headers).status_code == 200
    assert client.ask_token().status_code == 200


class Switch:
    """A TCP relay in front of PostgreSQL's socket that can be cut and mended."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.is_on = True
        self.links: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.is_on:
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            far.connect(self.target)
            self.links += [near, far]
            threading.Thread(target=self.copy, args=(near, far), daemon=True).start()
            threading.Thread(target=self.copy, args=(far, near), daemon=True).start()

    @staticmethod
    def copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def cut(self) -> None:
        self.is_on = False
        for link in self.links:
            link.close()
        self.links.clear()

    def mend(self) -> None:
        self.is_on = True

    def close(self) -> None:
        self.cut()
        self.listener.close()


@pytest.fixture
def switch(postgresql_url: str) -> Iterator[Switch]:
    directory = postgresql_url.partition("host=")[2]
    switch = Switch(f"{directory}/.s.PGSQL.5432")
    yield switch
    switch.close()


def test_postgresql_is_cut_off_and_comes_back(postgresql_url: str, switch: Switch) -> None:
    name = PostgreSQL.name_of(postgresql_url)
    url = f"postgresql+asyncpg://postgres@127.0.0.1:{switch.port}/{name}"
    with Client(make_app(Watchword(make_settings(url)))) as client:
        client.sign_up()
        headers = client.log_in()
        switch.cut()
        for _ in range(3):
            assert_down(client, headers)
        switch.mend()
        assert_up(client, headers)


def test_f1_remembered_tokens_are_let_in_until_the_bound_and_a_refresh_is_asked_again(
    postgresql_url: str, switch: Switch
) -> None:
    name = PostgreSQL.name_of(postgresql_url)
    url = f"postgresql+asyncpg://postgres@127.0.0.1:{switch.port}/{name}"
    with Client(make_app(Watchword(make_settings(url)))) as client:
        client.sign_up()
        tokens = client.ask_token().json()
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/mine", headers=headers).status_code == 200
        switch.cut()
        refused_at = time.monotonic() + 1.2  # WATCHWORD_REVOCATION_STALENESS, and a margin for this machine
        while time.monotonic() < refused_at:
            assert client.get("/mine", headers=headers).status_code in {200, 503}
        assert_down(client, headers)
        refresh = {"refresh_token": tokens["refresh_token"]}
        answer = client.post("/auth/refresh", json=refresh)
        assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
        switch.mend()
        assert client.post("/auth/refresh", json=refresh).status_code == 200
        assert_up(client, headers)


def test_the_feed_alone_is_down_and_every_request_asks_the_database_until_it_is_back(
    postgresql_url: str, switch: Switch
) -> None:
    direct = f"postgresql+asyncpg://postgres@127.0.0.1:{switch.port}/{PostgreSQL.name_of(postgresql_url)}"
    auth: Watchword[Any] = Watchword(make_settings(postgresql_url, database_direct_url=direct))
    with Client(make_app(auth)) as client:
        client.sign_up()
        headers = client.log_in()

        def asks_the_database() -> bool:
            before = auth.verify_credential.misses
            for _ in range(5):
                assert client.get("/mine", headers=headers).status_code == 200
            return auth.verify_credential.misses == before + 5

        assert not asks_the_database()
        switch.cut()
        time.sleep(1.2)  # WATCHWORD_REVOCATION_STALENESS, and a margin for this machine
        assert asks_the_database()
        switch.mend()
        deadline = time.monotonic() + 10
        while asks_the_database():
            assert time.monotonic() < deadline, "the feed did not come back"
            time.sleep(0.05)


def test_a_backend_that_was_terminated_costs_no_request(postgresql: PostgreSQL, postgresql_url: str) -> None:
    with Client(make_app(Watchword(make_settings(postgresql_url)))) as client:
        client.sign_up()
        headers = client.log_in()
        for _ in range(3):
            name = PostgreSQL.name_of(postgresql_url)
            postgresql.root.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';")
            assert client.portal is not None
            client.portal.call(asyncio.sleep, 0.05)  # the loop hears that the sockets closed
            assert_up(client, headers)


def test_sqlite_is_locked_by_somebody_else_and_comes_back(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchword.storage.database._SQLITE_LOCK_SECONDS", 0.1)
    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        headers = client.log_in()
        other = sqlite3.connect(sqlite_url.partition("///")[2], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/auth/token", data=FORM)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert client.get("/mine", headers=headers).status_code == 200  # reading needs no lock
        other.execute("ROLLBACK")
        other.close()
        assert_up(client, headers)


def test_sqlite_loses_its_tables_and_gets_them_back(sqlite_url: str) -> None:
    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        headers = client.log_in()
        path = sqlite_url.partition("///")[2]
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE watchword_user RENAME TO elsewhere")
        other.close()
        assert_down(client, headers)
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE elsewhere RENAME TO watchword_user")
        other.close()
        assert_up(client, headers)


def test_a_pool_without_a_free_connection_answers_503_in_bounded_time(database_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(database_url, database_pool_size=2))
    with Client(make_app(auth)) as client:
        client.sign_up()
        headers = client.log_in()
        assert client.portal is not None
        holding = auth.open_session.storage.reading()
        client.portal.call(holding.__aenter__)
        assert client.get("/auth/sessions", headers=headers).status_code == 503
        assert client.get("/mine", headers=headers).status_code == 200  # whose statement goes past the pool
        client.portal.call(holding.__aexit__, None, None, None)
        assert_up(client, headers)


def test_past_the_pool_too_who_finds_no_connection_free_gets_503_in_bounded_time(postgresql_url: str) -> None:
    auth: Watchword[Any] = Watchword(make_settings(postgresql_url, database_pool_size=2))
    with Client(make_app(auth)) as client:
        client.sign_up()
        headers = client.log_in()
        assert client.portal is not None
        direct = auth.open_session.storage.direct
        assert isinstance(direct, DirectPostgresql)
        client.portal.call(direct._places.acquire)
        assert client.get("/mine", headers=headers).status_code == 503
        client.portal.call(direct._places.release)
        assert_up(client, headers)


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["postgres@127.0.0.1:1/x", "nobody@{host}/x", "postgres@{host}/no_such_database"])
async def test_whatever_a_driver_raises_at_connect_is_one_refusal(postgresql: PostgreSQL, address: str) -> None:
    host = "?host=" + postgresql.url.partition("host=")[2]
    before, _, after = address.partition("@")
    url = f"postgresql+asyncpg://{before}@{after.replace('{host}', '')}" + (host if "{host}" in after else "")
    database = Database(url)
    try:
        with pytest.raises(StorageDown):
            async with database.reading() as stores:
                await stores.users.find("a@example.com")
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+asyncpg://u:hunter2@host:port/x", "WATCHWORD_DATABASE_URL is not an address"),
    ],
)
def test_an_address_that_cannot_be_read_is_named_without_its_password(url: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_postgresql_that_turned_read_only_is_away_for_those_who_write(
    postgresql: PostgreSQL, postgresql_url: str
) -> None:
    with Client(make_app(Watchword(make_settings(postgresql_url)))) as client:
        client.sign_up()
        headers = client.log_in()
        name = PostgreSQL.name_of(postgresql_url)
        for value, status in (("on", 503), ("off", 200)):  # a failover to a replica, and back
            postgresql.root.psql(f"ALTER DATABASE {name} SET default_transaction_read_only = {value};")
            postgresql.root.psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';")
            assert client.portal is not None
            client.portal.call(asyncio.sleep, 0.05)
            assert client.ask_token().status_code == status
            assert client.get("/mine", headers=headers).status_code == 200


def test_a_sqlite_file_that_is_damaged_answers_503(sqlite_url: str) -> None:
    with Client(make_app(Watchword(make_settings(sqlite_url)))) as client:
        client.sign_up()
        headers = client.log_in()
        path = Path(sqlite_url.partition("///")[2])
        for file in path.parent.glob(f"{path.name}*"):
            file.write_bytes(b"x" * file.stat().st_size)
        assert_down(client, headers)
