"""`examples/orders`: the app over HTTP, its own tests, its own Alembic beside Watchword's."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests import forks
from tests.conftest import EMAIL, PASSWORD, SECRET, PostgreSQL
from tests.examples.conftest import Serve, run
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

INCLUDE_NAME = "        include_name="


def log_in(client: httpx2.Client, email: str = EMAIL, **form: str) -> dict[str, str]:
    """Sign up and log in; the headers of the login."""
    profile = {"name": "Alice", "address": "1 Main Street"}
    answer = client.post("/auth/users", json={"email": email, "password": PASSWORD, "profile": profile})
    assert answer.status_code == 201, answer.text
    answer = client.post(
        "/auth/token", data={"grant_type": "password", "username": email, "password": PASSWORD, **form}
    )
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_the_app_works_over_http(orders_project: Path, serve: Serve, empty_database_url: str) -> None:
    settings = {"WATCHWORD_DATABASE_URL": empty_database_url, "WATCHWORD_SECRET": SECRET}
    client = serve("uvicorn", "orders.main:app", cwd=orders_project, **settings)
    alice = log_in(client)
    reader = log_in(client, "bob@example.com", scope="orders:read")

    placed = client.post("/orders", json={"item": "tea", "quantity": 2}, headers=alice)
    assert placed.status_code == 201
    assert placed.json() == {"id": 1, "item": "tea", "quantity": 2, "address": "1 Main Street"}
    assert client.get("/orders", headers=alice).json() == [placed.json()]
    assert client.get("/orders", headers=reader).json() == []

    refused = client.post("/orders", json={"item": "tea"}, headers=reader)
    assert refused.status_code == 403
    assert 'scope="orders:write"' in refused.headers["www-authenticate"]
    assert client.get("/reports/customers", headers=alice).json() == {"Alice": 2}
    assert client.get("/reports/customers", headers=reader).status_code == 403

    _ask_over_websocket(client, alice)
    _delete_account(client, alice)


def _ask_over_websocket(client: httpx2.Client, headers: dict[str, str]) -> None:
    token = headers["Authorization"].removeprefix("Bearer ")
    url = str(client.base_url).replace("http://", "ws://").rstrip("/") + "/orders/live"
    for options in ({"additional_headers": headers}, {"subprotocols": ["bearer", token]}):  # a program's, a browser's
        given: Any = options
        with connect(url, proxy=None, **given) as websocket:
            websocket.send("1")
            assert websocket.recv() == '{"order":"1","state":"placed"}'
            websocket.send("2")
            assert websocket.recv() == '{"order":"2","state":"unknown"}'
    with pytest.raises(InvalidStatus, match="401"):
        connect(url, proxy=None)


def _delete_account(client: httpx2.Client, headers: dict[str, str]) -> None:
    refused = client.delete("/auth/me", headers=headers)
    assert refused.status_code == 409
    assert refused.json()["code"] == "still_referenced"
    assert client.delete("/orders/1", headers=headers).status_code == 204
    assert client.delete("/auth/me", headers=headers).status_code == 204
    assert client.get("/orders", headers=headers).status_code == 401


def test_fastapi_dev_finds_the_app_by_itself(orders_project: Path, serve: Serve) -> None:
    client = serve("fastapi", "dev", cwd=orders_project)
    assert client.get("/orders", headers=log_in(client)).json() == []
    assert (orders_project / "watchword.db").exists()


def run_its_tests(orders_project: Path, **settings: str) -> None:
    result = run("pytest", "-p", "no:cacheprovider", *forks.PYTEST_OPTIONS, cwd=orders_project, **settings)
    assert result.returncode == 0, result.stdout
    assert "25 passed" in result.stdout
    assert not list(orders_project.glob("*.db")), "the developer's database is not touched"


def test_its_own_tests_pass(orders_project: Path) -> None:
    run_its_tests(orders_project)


def test_its_own_tests_pass_on_a_postgresql_for_tests(orders_project: Path, postgresql: PostgreSQL) -> None:
    url = postgresql.create()
    run_its_tests(orders_project, WATCHWORD_TEST_DATABASE_URL=url)
    postgresql.drop(url)


def test_it_type_checks_as_its_author_would_check_it(orders_project: Path) -> None:
    cache = Path(__file__).parents[2] / ".mypy_cache" / "users"
    result = run("mypy", "--cache-dir", cache, cwd=orders_project)
    assert result.returncode == 0, result.stdout


@pytest.fixture
def migrated(orders_project: Path, empty_database_url: str) -> dict[str, str]:
    """A database as a deployment makes it: Watchword's tables, then the app's own."""
    settings = {"WATCHWORD_DATABASE_URL": empty_database_url, "WATCHWORD_SECRET": SECRET}
    for command in (["watchword", "db", "upgrade"], ["alembic", "upgrade", "head"]):
        result = run(*command, cwd=orders_project, **settings)
        assert result.returncode == 0, result.stdout
    return settings


def test_its_alembic_finds_nothing_to_do_after_both_migrations(orders_project: Path, migrated: dict[str, str]) -> None:
    checked = run("alembic", "check", cwd=orders_project, **migrated)
    assert checked.returncode == 0, checked.stdout
    assert "No new upgrade operations detected" in checked.stdout
    written = run("alembic", "revision", "--autogenerate", "-m", "nothing", cwd=orders_project, **migrated)
    assert written.returncode == 0, written.stdout
    (revision,) = (orders_project / "migrations" / "versions").glob("*_nothing.py")
    assert "op.create" not in revision.read_text()
    assert "op.drop" not in revision.read_text()
    assert "watchword_" not in revision.read_text()


def test_without_the_include_name_line_alembic_would_drop_the_users(
    orders_project: Path, migrated: dict[str, str]
) -> None:
    env = orders_project / "migrations" / "env.py"
    lines = env.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(INCLUDE_NAME)]
    assert len(kept) == len(lines) - 1
    env.write_text("".join(kept))
    checked = run("alembic", "check", cwd=orders_project, **migrated)
    assert checked.returncode != 0
    assert "'remove_table', Table('watchword_user'" in checked.stdout


def test_watchword_is_content_with_a_database_that_the_app_migrated_too(
    orders_project: Path, migrated: dict[str, str]
) -> None:
    checked = run("watchword", "db", "check", cwd=orders_project, **migrated)
    assert checked.returncode == 0, checked.stdout
    again = run("alembic", "downgrade", "base", cwd=orders_project, **migrated)
    assert again.returncode == 0, again.stdout
    checked = run("watchword", "db", "check", cwd=orders_project, **migrated)
    assert checked.returncode == 0, checked.stdout
