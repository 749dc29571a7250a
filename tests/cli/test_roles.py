"""Roles from the command line: there is no default account, so this is how the first admin comes to be."""

import json
from pathlib import Path
from typing import Any

from tests.cli.processes import PASSWORD, SECRET, run

EMAIL = "a@example.com"


def told(directory: Path, *arguments: str, stdin: str = "") -> Any:
    outcome = run(directory, *arguments, "--json", stdin=stdin)
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout)


def test_an_operator_makes_the_first_admin_and_manages_roles(tmp_path: Path) -> None:
    admin = told(tmp_path, "users", "create", EMAIL, "--role", "admin", "--password-stdin", stdin=PASSWORD)
    assert admin["roles"] == ["admin", "user"]
    made = told(tmp_path, "roles", "create", "editor", "--scope", "orders:read", "--description", "Edits")
    assert made == {"name": "editor", "description": "Edits", "scopes": ["orders:read"]}
    changed = told(tmp_path, "roles", "set", "editor", "--scope", "orders:read", "--scope", "orders:write")
    assert changed["scopes"] == ["orders:read", "orders:write"]
    assert told(tmp_path, "roles", "give", "editor", EMAIL)["roles"] == ["admin", "editor", "user"]
    assert [user["email"] for user in told(tmp_path, "roles", "members", "editor")] == [EMAIL]
    assert told(tmp_path, "roles", "take", "editor", EMAIL)["roles"] == ["admin", "user"]
    assert told(tmp_path, "roles", "delete", "editor") == {"deleted": "editor"}
    assert [role["name"] for role in told(tmp_path, "roles", "list")] == ["admin", "user"]


def test_what_cannot_be_is_one_line(tmp_path: Path) -> None:
    for arguments, text in (
        (("roles", "give", "nothing", EMAIL), "There is no user with this email"),
        (("roles", "create", "editor", "--scope", "openid"), "'openid' is reserved"),
        (("roles", "delete", "user"), "New users get the role user"),
    ):
        outcome = run(tmp_path, *arguments, WATCHWORD_SECRET=SECRET)
        assert (outcome.returncode, outcome.stderr.count("\n")) == (1, 1), outcome.stderr
        assert text in outcome.stderr
