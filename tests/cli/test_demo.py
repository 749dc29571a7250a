"""The demo beyond its show: what it leaves behind, and whether its curl lines work."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.processes import call, environment, run

from watchword.cli.demo import EMAIL


@contextmanager
def demonstrating(directory: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A demo that serves, and what it printed."""
    output = directory / "shown"
    temporary = directory / "temporary"
    temporary.mkdir()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "watchword", "demo"],
            cwd=directory,
            env=environment(TMPDIR=str(temporary)),
            stdout=file,
            stderr=file,
        )
    try:
        deadline = time.monotonic() + 60
        while "Ctrl-C ends" not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, output.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_the_demo_its_database_is_gone(tmp_path: Path, stop: signal.Signals) -> None:
    with demonstrating(tmp_path) as (process, _shown):
        assert [path.name.startswith("watchword-demo-") for path in (tmp_path / "temporary").iterdir()] == [True]
        process.send_signal(stop)
        assert process.wait(20) == 0
    assert list((tmp_path / "temporary").iterdir()) == []
    assert "Traceback" not in (tmp_path / "shown").read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_curl_lines_can_be_pasted_and_the_docs_are_served(tmp_path: Path) -> None:
    with demonstrating(tmp_path) as (_process, shown):
        lines = [line for line in shown.splitlines() if "curl http" in line]
        answers = subprocess.run(
            ["bash", "-euc", "\necho\n".join(lines)], capture_output=True, text=True, timeout=30, check=True
        ).stdout.splitlines()
        assert len(lines) == 3
        assert ['"email":"you@example.com"' in answer for answer in answers if answer] == [True, True]
        base = lines[0].split()[1].removesuffix("/auth/users")
        paths = call("GET", f"{base}/openapi.json")[1]["paths"]
        assert {"/orders", "/auth/token"} <= set(paths)


def test_the_demo_takes_no_proxy_to_itself_and_reads_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WATCHWORD_PREFIX=/elsewhere\nWATCHWORD_DATABASE_URL=sqlite:///mine.db\n")
    outcome = run(tmp_path, "demo", "--exit", http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9")
    assert outcome.returncode == 0, outcome.stderr
    assert f'"email": "{EMAIL}"' in outcome.stdout
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_the_demo_shows_requests_and_answers_and_never_a_whole_token(tmp_path: Path) -> None:
    shown = run(tmp_path, "demo", "--exit").stdout
    for request, answer in (
        ("POST /auth/users", "201 Created"),
        ("POST /auth/token", "200 OK"),
        ("GET /auth/me", "200 OK"),
    ):
        assert answer in shown.partition(request)[2].partition("\n\n")[0]
    assert not [word for word in shown.split() if word.strip('",').startswith("eyJ") and len(word) > 40]
