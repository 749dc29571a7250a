"""`watchword keys`, as an operator uses it."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.cli.processes import run


def keys(directory: Path, command: str) -> list[dict[str, Any]]:
    outcome = run(directory, "keys", command, "--json")
    assert outcome.returncode == 0, outcome.stderr
    listed: list[dict[str, Any]] = json.loads(outcome.stdout)
    return listed


def test_keys_are_listed_rotated_and_revoked(tmp_path: Path) -> None:
    assert run(tmp_path, "db", "upgrade").returncode == 0
    assert keys(tmp_path, "list") == []
    assert run(tmp_path, "users", "list").returncode == 0  # whatever starts it makes the keys
    first = keys(tmp_path, "list")
    assert [(key["algorithm"], key["status"]) for key in first] == [("ES256", "active"), ("RS256", "active")]
    rotated = keys(tmp_path, "rotate")
    assert Counter(key["status"] for key in rotated) == {"active": 2, "next": 2}
    assert keys(tmp_path, "rotate") == rotated, "one that is there already is as good"
    gone = first[0]["kid"]
    assert run(tmp_path, "keys", "revoke", gone, stdin="n\n").returncode == 1
    assert run(tmp_path, "keys", "revoke", gone, "--yes").stdout == f"Revoked {gone}.\n"
    left = keys(tmp_path, "list")
    assert gone not in {key["kid"] for key in left}
    assert Counter((key["algorithm"], key["status"]) for key in left) == Counter(
        (algorithm, status) for algorithm in ("ES256", "RS256") for status in ("active", "next")
    )
    unknown = run(tmp_path, "keys", "revoke", gone, "--yes")
    assert (unknown.returncode, unknown.stderr) == (1, "watchword: There is no signing key with this id\n")
    assert "RS256" in run(tmp_path, "keys", "list").stdout
    # One key of 64 has an id that begins as an option does.
    dashed = run(tmp_path, "keys", "revoke", "-fuxThrlwbWitaAexMmt-XmZG_r15Kbs53KrJj9exwU", "--yes")
    assert dashed.stderr == unknown.stderr
