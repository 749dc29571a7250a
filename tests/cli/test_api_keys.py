"""`watchword api-keys`: an operator makes keys for users and for services, and takes them away."""

import json
import sqlite3
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.processes import PASSWORD, run
from tests.conftest import SCOPES, Client, make_app, make_settings

from watchword import Watchword
from watchword.cli import main

EMAIL = "a@example.com"


@pytest.fixture
def directory(tmp_path: Path, sqlite_url: str) -> Path:
    """A working directory with a database, a user and a client."""
    with Client(make_app(Watchword(make_settings(sqlite_url), scopes=SCOPES))) as client:
        client.sign_up(EMAIL, PASSWORD)
    with closing(sqlite3.connect(tmp_path / "watchword.db")) as connection:
        connection.execute(
            "INSERT INTO watchword_client (id, name, is_public, is_active, grants, scope, auth_method, created_at) "
            "VALUES ('billing', 'Billing', 0, 1, '', 'orders:read', 'none', '2026-01-01 00:00:00.000000')"
        )
        connection.commit()
    (tmp_path / ".env").write_text("WATCHWORD_SECRET=a-secret-for-tests-0123456789-abcdefghij\n")
    return tmp_path


def statuses(url: str, key: str, *paths: str) -> list[int]:
    with Client(make_app(Watchword(make_settings(url), scopes=SCOPES))) as client:
        return [client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code for path in paths]


def test_a_key_is_made_used_listed_and_revoked(directory: Path, sqlite_url: str) -> None:
    made = run(directory, "api-keys", "create", "--user", "A@example.com", "--scope", "orders:read", "--name", "ci",
               "--expires-in", "30d")  # fmt: skip
    assert made.returncode == 0, made.stderr
    key = made.stdout.removesuffix("\n")
    assert (key[:4], len(key)) == ("wwk_", 52)
    assert key not in made.stderr
    assert "good until" in made.stderr
    assert statuses(sqlite_url, key, "/orders", "/mine") == [200, 403]

    (listed,) = json.loads(run(directory, "api-keys", "list", "--user", EMAIL, "--json").stdout)
    assert (listed["name"], listed["scopes"], listed["hint"]) == ("ci", ["orders:read"], f"wwk_…{key[-4:]}")
    assert listed["last_used_at"] is not None
    life = datetime.fromisoformat(listed["expires_at"]) - datetime.fromisoformat(listed["created_at"])
    assert abs(life - timedelta(days=30)) < timedelta(seconds=1)
    table = run(directory, "api-keys", "list", "--user", EMAIL).stdout
    assert listed["id"] in table
    assert key not in table

    assert run(directory, "api-keys", "revoke", listed["id"]).stdout == f"Revoked wwk_…{key[-4:]}, ci.\n"
    assert statuses(sqlite_url, key, "/orders") == [401]
    assert run(directory, "api-keys", "list", "--user", EMAIL, "--json").stdout == "[]\n"


def test_a_key_is_replaced_at_once_or_after_a_grace(directory: Path, sqlite_url: str) -> None:
    first = json.loads(run(directory, "api-keys", "create", "--user", EMAIL, "--scope", "orders:read", "--json").stdout)
    rotated = run(directory, "api-keys", "rotate", first["id"])
    assert (rotated.returncode, "good until" in rotated.stderr) == (0, True)
    second = rotated.stdout.removesuffix("\n")
    assert [statuses(sqlite_url, key, "/orders") for key in (first["key"], second)] == [[401], [200]]
    (listed,) = json.loads(run(directory, "api-keys", "list", "--user", EMAIL, "--json").stdout)
    third = json.loads(run(directory, "api-keys", "rotate", listed["id"], "--grace", "1h", "--json").stdout)
    assert (third["name"], third["scopes"], third["expires_at"]) == (
        "command line",
        ["orders:read"],
        first["expires_at"],
    )
    assert [statuses(sqlite_url, key, "/orders") for key in (second, third["key"])] == [[200], [200]]


def test_a_service_gets_a_key_no_wider_than_its_client(directory: Path, sqlite_url: str) -> None:
    made = json.loads(run(directory, "api-keys", "create", "--client", "billing", "--scope", "orders:read",
                          "--json").stdout)  # fmt: skip
    assert (made["client_id"], made["user_id"], made["scopes"]) == ("billing", None, ["orders:read"])
    assert statuses(sqlite_url, made["key"], "/orders", "/mine") == [200, 403]
    wider = run(directory, "api-keys", "create", "--client", "billing", "--scope", "orders:write")
    assert (wider.returncode, wider.stdout) == (1, "")


OF_USER = ("create", "--user", EMAIL)


REFUSED: dict[tuple[str, ...], str] = {
    ("create", "--scope", "orders:read"): "say whose: --user EMAIL or --client ID",
    (*OF_USER, "--client", "billing", "--scope", "a"): "say whose: --user EMAIL or --client ID",
    ("create", "--user", "nobody@example.com", "--scope", "a"): "There is no user with this email",
    ("list", "--user", "nobody@example.com"): "There is no user with this email",
    ("create", "--client", "nobody", "--scope", "a"): "There is no such client, or it is disabled",
    OF_USER: "scopes: at least one must be named",
    (*OF_USER, "--scope", "two words"): "Scope 'two words' is not a scope: printable ASCII without space, quote and "
    "backslash",
    (*OF_USER, "--scope", "admin"): "The requested scope is invalid, unknown or more than may be granted",
    (*OF_USER, "--scope", "a", "--expires-in", "soon"): "--expires-in is not a duration: write 3600, 12h, 90d or P90D",
    (*OF_USER, "--scope", "a", "--expires-in", "2000d"): "expires_in: must be at most 365d",
    ("revoke", "01900000-0000-7000-8000-000000000000"): "There is no such API key in force",
    ("rotate", "01900000-0000-7000-8000-000000000000"): "There is no such API key in force",
    ("rotate", "01900000-0000-7000-8000-000000000000", "--grace", "366d"): "grace: must be at most 365d",
    ("rotate", "wwk_secret", "--grace", "soon"): "--grace is not a duration: write 3600, 12h, 90d or P90D",
    ("revoke", "wwk_secret"): "the id of a key looks like 0199e5b2-…; `watchword api-keys list` shows it",
}


def test_what_cannot_be_done_is_one_line(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(directory)
    for arguments, told in REFUSED.items():
        monkeypatch.setattr(sys, "argv", ["watchword", "api-keys", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == f"watchword: {told}"
    assert capsys.readouterr().out == ""
