"""Migrations: what they make is what the tables say, once, whoever runs them."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi import FastAPI
from sqlalchemy import Connection, text
from tests import forks
from tests.conftest import SECRET, make_settings

import watchword.storage
from watchword import ConfigurationError, Watchword
from watchword.storage import Database
from watchword.storage.schema import HEAD, VERSION_TABLE, schema_state, upgrade
from watchword.storage.tables import metadata

pytestmark = pytest.mark.anyio

MIGRATIONS = Path(watchword.storage.__file__).parent / "migrations"


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": VERSION_TABLE})
    return list(compare_metadata(context, metadata))


def test_head_is_the_newest_file() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


async def test_the_migrations_make_the_tables_that_the_code_knows(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    try:
        assert (await schema_state(database)).current is None
        assert (await upgrade(database)).current is None
        assert (await schema_state(database)).is_current
        assert (await upgrade(database)).is_current
        async with database.connection() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()


async def test_production_refuses_a_schema_that_is_old_and_says_what_to_run(empty_database_url: str) -> None:
    auth: Watchword[Any] = Watchword(
        make_settings(empty_database_url, environment="production", issuer="https://login.example.com")
    )
    with pytest.raises(ConfigurationError, match="run `watchword db upgrade`"):
        async with auth.lifespan(FastAPI(openapi_url=None)):
            pass


async def test_a_schema_of_a_newer_version_is_refused(database_url: str) -> None:
    database = Database(database_url)
    try:
        async with database.connection(writes=True) as connection:
            await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="upgrade the package"):
            await upgrade(database)
    finally:
        await database.close()


async def test_processes_that_start_at_once_migrate_once_and_agree_on_the_keys(
    empty_database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "start.py").write_text(
        "import asyncio\n"
        "from fastapi import FastAPI\n"
        "from watchword import Watchword\n"
        "async def main():\n"
        "    async with (auth := Watchword()).lifespan(FastAPI()):\n"
        "        print(*sorted(key['kid'] for key in auth.use_cases.keyring.keys.jwks()['keys']))\n"
        "asyncio.run(main())\n"
    )
    environment = {"WATCHWORD_DATABASE_URL": empty_database_url, "WATCHWORD_SECRET": SECRET, "PATH": "/usr/bin"}

    def start(_number: int) -> subprocess.CompletedProcess[str]:
        return forks.run("start", cwd=tmp_path, env=environment)

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(start, range(4)))
    assert {(outcome.returncode, outcome.stderr) for outcome in outcomes} == {(0, "")}
    (keys,) = {outcome.stdout for outcome in outcomes}
    assert len(keys.split()) == 2


async def test_sqlite_is_durable_and_checks_foreign_keys(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    try:
        async with database.connection() as connection:
            pragmas = [
                (await connection.execute(text(f"PRAGMA {name}"))).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        assert pragmas == ["wal", 2, 1, 5000]
    finally:
        await database.close()
