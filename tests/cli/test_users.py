"""How a password and a profile come in: piped, typed twice on a terminal, as JSON."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import anyio
import pytest
from fastapi import FastAPI
from tests.cli.processes import PASSWORD, environment, run
from tests.conftest import make_settings

from watchword import Profile, Watchword
from watchword.cli.database import describe_state
from watchword.flows.prune import Pruned
from watchword.storage.schema import HEAD, SchemaState


class Member(Profile):
    name: str


def log_in(directory: Path, password: str) -> int:
    from tests.conftest import Client, make_app

    settings = make_settings(
        f"sqlite:///{directory / 'watchword.db'}", secret=(directory / "watchword.secret").read_text()
    )
    with Client(make_app(Watchword(settings))) as client:
        status: int = client.ask_token("a@example.com", password).status_code
        return status


@pytest.mark.parametrize(
    ("piped", "password"),
    [
        (f"{PASSWORD}\n", PASSWORD),
        (f"{PASSWORD}\r\n", PASSWORD),
        (PASSWORD, PASSWORD),
        (f"  {PASSWORD}  \n", f"  {PASSWORD}  "),
        ("pässwörter sind länger\u00a0✓", "pässwörter sind länger\u00a0✓"),
    ],
)
def test_a_piped_password_is_taken_as_it_is_but_for_the_line_end(tmp_path: Path, piped: str, password: str) -> None:
    made = run(tmp_path, "users", "create", "a@example.com", "--password-stdin", stdin=piped, LC_ALL="C.UTF-8")
    assert made.returncode == 0, made.stderr
    assert log_in(tmp_path, password) == 200


@pytest.mark.parametrize(
    "piped", [b"two lines of text\nand more\n", b"with a nul \x00 inside it", b"latin-1 is \xe4 not UTF-8"]
)
def test_what_is_no_password_makes_no_account(tmp_path: Path, piped: bytes) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "watchword", "users", "create", "a@example.com", "--password-stdin"],
        cwd=tmp_path,
        env=environment(LC_ALL="C"),
        input=piped,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (outcome.returncode, outcome.stderr.count(b"\n")) == (1, 1)
    assert outcome.stderr.startswith(b"watchword: the password ")
    assert list(tmp_path.iterdir()) == []


def typed(directory: Path, *lines: str) -> tuple[int, str]:
    """`users create` on a terminal where somebody types; the status and all that was seen."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "watchword", "users", "create", "a@example.com"],
        cwd=directory,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # or it would ask on the terminal of whoever runs the tests
    )
    os.close(theirs)
    seen = ""
    waiting = list(lines)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4096).decode()
            except OSError:
                break
        if waiting and seen.count(": ") > len(lines) - len(waiting):
            os.write(terminal, f"{waiting.pop(0)}\n".encode())
    os.close(terminal)
    return process.wait(10), seen


def test_a_password_is_asked_for_twice_and_never_shown(tmp_path: Path) -> None:
    status, seen = typed(tmp_path, PASSWORD, PASSWORD)
    assert (status, "Created a@example.com." in seen, PASSWORD in seen) == (0, True, False)
    assert log_in(tmp_path, PASSWORD) == 200


def test_two_passwords_that_differ_make_no_account(tmp_path: Path) -> None:
    status, seen = typed(tmp_path, PASSWORD, PASSWORD + "!")
    assert (status, "watchword: the two passwords differ" in seen) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_user_gets_the_fields_that_the_app_reads(tmp_path: Path) -> None:
    create = ("users", "create", "a@example.com", "--password-stdin", "--json", "--profile")
    made = run(tmp_path, *create, '{"name": "Ann"}', stdin=PASSWORD)
    assert json.loads(made.stdout)["profile"] == {"name": "Ann"}
    settings = make_settings(
        f"sqlite:///{tmp_path / 'watchword.db'}", secret=(tmp_path / "watchword.secret").read_text()
    )
    auth = Watchword(settings, profile=Member)

    async def read() -> str:
        async with auth.lifespan(FastAPI()):
            user = await auth.users.find("a@example.com")
            assert user is not None
            return user.profile.name

    assert anyio.run(read) == "Ann"
    for text in ("[]", "name=Ann"):
        refused = run(tmp_path, *create, text, stdin=PASSWORD)
        assert (refused.returncode, refused.stderr) == (1, "watchword: --profile must be a JSON object\n")


def test_a_list_in_a_pipe_has_a_line_for_each_user_however_long(tmp_path: Path) -> None:
    email = f"{'a' * 60}@{'b' * 60}.example.com"
    assert run(tmp_path, "users", "create", email, "--password-stdin", stdin=PASSWORD).returncode == 0
    (line,) = [line for line in run(tmp_path, "users", "list", COLUMNS="80").stdout.splitlines() if email in line]
    assert "never" in line


@pytest.mark.parametrize(
    ("current", "told"),
    [
        (None, "run `watchword db upgrade`"),
        (HEAD, "Up to date"),
        ("0001", "run `watchword db upgrade`"),
        ("9999", "upgrade the package"),
    ],
)
def test_a_schema_check_says_what_to_do(current: str | None, told: str) -> None:
    assert told in describe_state(SchemaState(current))


def test_pruning_and_the_end_of_everything_after_a_restored_backup(tmp_path: Path) -> None:
    run(tmp_path, "users", "create", "a@example.com", "--password-stdin", stdin=PASSWORD)
    outcome = run(tmp_path, "db", "prune", "--json")
    assert json.loads(outcome.stdout) == asdict(Pruned())
    assert log_in(tmp_path, PASSWORD) == 200
    refused = run(tmp_path, "db", "restored", stdin="n\n")
    assert refused.returncode == 1
    outcome = run(tmp_path, "db", "restored", "--yes")
    assert outcome.stdout == "Ended 1 sessions, 0 API keys and 0 recovery codes; 1 users log in again.\n"
    assert log_in(tmp_path, PASSWORD) == 200
    assert run(tmp_path, "db", "prune").stdout.startswith("Deleted 0 sessions, 0 revocations, 0 api keys, ")


@pytest.mark.parametrize("command", [("db", "prune"), ("db", "restored", "--yes")])
def test_a_database_without_tables_is_one_line_that_says_what_to_run(tmp_path: Path, command: tuple[str, ...]) -> None:
    outcome = run(tmp_path, *command)
    assert outcome.returncode == 1
    assert outcome.stderr == (
        f"watchword: the database has no Watchword tables, {HEAD} is needed: run `watchword db upgrade`\n"
    )


def test_an_operator_resets_a_lost_second_factor(tmp_path: Path) -> None:
    from tests.conftest import Client, make_app
    from tests.second_factors import Clock, enrol

    assert run(tmp_path, "users", "create", "a@example.com", "--password-stdin", stdin=PASSWORD).returncode == 0
    database, secret = f"sqlite:///{tmp_path / 'watchword.db'}", (tmp_path / "watchword.secret").read_text()
    auth: Watchword[Profile] = Watchword(make_settings(database, secret=secret))
    with Client(make_app(auth)) as client:
        clock = Clock()
        clock.govern(auth)
        headers = client.log_in("a@example.com")
        enrol(client, clock, headers)
        reset = run(tmp_path, "users", "reset-2fa", "a@example.com", "--json")
        assert json.loads(reset.stdout)["second_factor"] is False
        assert client.ask_token("a@example.com").json()["refresh_token"]
    nobody = run(tmp_path, "users", "reset-2fa", "b@example.com")
    assert nobody.returncode == 1
    assert "There is no user with this email" in nobody.stderr
