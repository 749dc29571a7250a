"""Keys: made once, sealed, opened again; and the secret that development makes."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.conftest import SECRET, make_settings

from watchword import ConfigurationError
from watchword.identity.secret_file import development_secret, secret_path

pytestmark = pytest.mark.anyio


async def kids(auth: Any) -> list[str]:
    return sorted(key["kid"] for key in auth.use_cases.keyring.keys.jwks()["keys"])


async def test_a_restart_has_the_same_keys(start: Callable[..., Any], database_url: str) -> None:
    async with start(database_url) as auth:
        before = await kids(auth)
    async with start(database_url) as auth:
        assert await kids(auth) == before
        async with auth.open_session.storage.connection() as connection:
            rows = (await connection.execute(text("SELECT private_sealed FROM watchword_signing_key"))).all()
    assert len(rows) == 2
    assert all(b"kty" not in bytes(row[0]) for row in rows)


async def test_hs256_has_a_key_when_it_is_asked_for_and_never_publishes_it(
    start: Callable[..., Any], database_url: str
) -> None:
    async with start(database_url, access_token_algorithm="HS256") as auth:
        assert {key["alg"] for key in auth.use_cases.keyring.keys.jwks()["keys"]} == {"ES256", "RS256"}
        assert len(auth.open_session.issue.keyring.keys.by_kid) == 3


async def test_a_new_secret_in_front_opens_what_the_old_one_sealed(
    start: Callable[..., Any], database_url: str
) -> None:
    new = "another-secret-for-tests-9876543210-zyxwv"
    async with start(database_url) as auth:
        before = await kids(auth)
    async with start(database_url, secret=f"{new} {SECRET}") as auth:
        assert await kids(auth) == before
    with pytest.raises(ConfigurationError, match="append the former secret"):
        async with start(database_url, secret=new):
            pass


async def test_an_altered_key_is_refused_at_start(start: Callable[..., Any], database_url: str) -> None:
    async with start(database_url) as auth, auth.open_session.storage.connection(writes=True) as connection:
        await connection.execute(text("UPDATE watchword_signing_key SET kid = 'x' WHERE algorithm = 'ES256'"))
    with pytest.raises(ConfigurationError, match="signing key x in the database was altered"):
        async with start(database_url):
            pass


def test_the_development_secret_is_made_once_beside_the_database_for_its_owner_alone(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite+aiosqlite:///{tmp_path / 'dev.db'}", secret="")
    secret = development_secret(settings)
    path = secret_path(settings)
    assert path == tmp_path / "dev.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert development_secret(settings) == secret
    assert [entry.name for entry in tmp_path.iterdir()] == ["dev.secret"]


def test_a_damaged_development_secret_is_refused(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite+aiosqlite:///{tmp_path / 'dev.db'}", secret="")
    secret_path(settings).write_text("short")
    with pytest.raises(ConfigurationError, match="is damaged"):
        development_secret(settings)
