"""User-style code under mypy --strict, away from this repository's configuration."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
_EXPECTED = re.compile(r"  # type: ignore\[(?P<code>[a-z-]+)\]")


def mypy(*files: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As a user runs it on a project that has Watchword installed."""
    cache = HERE.parents[1] / ".mypy_cache" / "users"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        os.devnull,
        "--cache-dir",
        cache,
        *files,
    ]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_what_a_user_writes_type_checks(tmp_path: Path) -> None:
    result = mypy(HERE / "accepted.py", cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_wrong_uses_are_errors_on_their_lines(tmp_path: Path) -> None:
    source = (HERE / "refused.py").read_text()
    expected = {
        (number, match["code"])
        for number, line in enumerate(source.splitlines(), start=1)
        if (match := _EXPECTED.search(line))
    }
    bare = tmp_path / "refused.py"
    bare.write_text(_EXPECTED.sub("", source))
    found = re.findall(r"^refused\.py:(\d+): error: .*\[([a-z-]+)\]$", mypy(bare, cwd=tmp_path).stdout, re.MULTILINE)
    assert {(int(line), code) for line, code in found} == expected
