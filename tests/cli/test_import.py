"""`watchword users import`, as an operator runs it: on real databases, killed, run again."""

import base64
import csv
import hashlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest
from argon2 import PasswordHasher as Argon2
from django.conf import settings as django_settings
from django.contrib.auth import hashers as django
from pwdlib.hashers.bcrypt import BcryptHasher
from tests.cli.processes import PRODUCTION, environment
from tests.conftest import CHEAP_HASH, PASSWORD, Client, PostgreSQL, make_app, make_settings

from watchword import Watchword
from watchword.cli import main
from watchword.model import Account
from watchword.storage import Database

if not django_settings.configured:
    django_settings.configure()

BCRYPT = BcryptHasher(rounds=4).hash(PASSWORD)
SALT = "JgX3mPzq9eVbNhT0sYwKcd"


@dataclass(frozen=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


def use(url: str, call: Callable[[Any], Any]) -> Any:
    """Something with the stores of a database."""

    async def called() -> Any:
        database = Database(url)
        try:
            async with database.reading() as stores:
                return await call(stores)
        finally:
            await database.close()

    return anyio.run(called)


def accounts(url: str) -> dict[str, Account]:
    async def read(stores: Any) -> list[Account]:
        found: list[Account] = await stores.users.page(after=None, limit=100_000)
        return found

    return {account.email: account for account in use(url, read)}


def import_(directory: Path, url: str, *arguments: str, stdin: str = "", **variables: str) -> Outcome:
    """Run it in this process, which is quicker; what happens to a process is tested with one."""
    (directory / ".stdin").write_text(stdin)
    told, errors = io.StringIO(), io.StringIO()
    with (
        (directory / ".stdin").open() as given,
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(told),
        redirect_stderr(errors),
    ):
        patch.chdir(directory)
        for name, value in {"WATCHWORD_DATABASE_URL": url, **variables}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["watchword", "users", "import", *arguments])
        patch.setattr(sys, "stdin", given)
        with pytest.raises(SystemExit) as ended:
            main()
    if isinstance(ended.value.code, str):  # Python prints it, and the status is 1
        return Outcome(1, told.getvalue(), f"{errors.getvalue()}{ended.value.code}\n")
    return Outcome(ended.value.code or 0, told.getvalue(), errors.getvalue())


def summary(outcome: Outcome) -> tuple[int, int, int]:
    found = json.loads(outcome.stdout)
    return found["imported"], found["existing"], found["refused"]


def test_users_come_in_with_all_they_have_and_stay_as_they_are(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "email,id,password_hash,email_verified,is_active,profile.name\n"
        f"Ann@Example.com,0190b1d0-0000-7000-8000-000000000000,{BCRYPT},true,yes,Ann\n"
        "bob@example.com,,,,no,\n"
    )
    outcome = import_(tmp_path, database_url, "users.csv")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout == (
        "2 imported, 0 there already, 0 refused.\nWithout a password: 1.\nPassword hashes: $2b$04 (1).\n"
    )
    found = accounts(database_url)
    ann, bob = found["Ann@example.com"], found["bob@example.com"]
    assert (ann.id, ann.password_hash) == (UUID("0190b1d0-0000-7000-8000-000000000000"), BCRYPT)
    assert ann.email_verified_at is not None
    assert (ann.is_active, ann.profile, ann.token_epoch) == (True, {"name": "Ann"}, 0)
    assert (bob.is_active, bob.email_verified_at, bob.password_hash, bob.profile) == (False, None, None, {})
    assert abs(ann.email_verified_at - bob.created_at).total_seconds() < 5

    file.write_text(
        f"email,id,password_hash,is_active\nann@example.com,,,no\nnew@example.com,{ann.id},,\nlast@example.com,,,\n"
    )
    again = import_(tmp_path, database_url, "users.csv", "--json")
    assert (again.returncode, summary(again)) == (3, (1, 1, 1))
    assert again.stderr == "line 3: the id belongs to another account (new@example.com)\n"
    after = accounts(database_url)
    assert after["Ann@example.com"] == ann
    assert set(after) == {"Ann@example.com", "bob@example.com", "last@example.com"}


FIREBASE_PARAMETERS = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}"""
FIREBASE_USER = {
    "localId": "kYi4EvWQlQTKSfnJ3dRSP6IH3ed2",
    "email": "firebase@example.com",
    "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "salt": "42xEC+ixf3L2lw==",
}
FIREBASE_PASSWORD = "user1password"  # of the published example


def keycloak_user() -> dict[str, Any]:
    value = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), b"s" * 16, 1000, 64)
    secret = {"value": base64.b64encode(value).decode(), "salt": base64.b64encode(b"s" * 16).decode()}
    data = {"hashIterations": 1000, "algorithm": "pbkdf2-sha512", "additionalParameters": {}}
    credential = {"type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(data)}
    return {"id": "6d1d2b5e-3c3a-4b0e-9a8e-0d6f2f6a2b11", "email": "keycloak@example.com", "credentials": [credential]}


def foreign_files() -> dict[str, tuple[str, str]]:
    """For each kind: the file it comes in."""
    scrypt = hashlib.scrypt(PASSWORD.encode(), salt=b"saltsalt", n=256, r=8, p=1, dklen=32)
    hashes = {
        "bcrypt": BCRYPT,
        "django-argon2": "argon2" + Argon2(time_cost=1, memory_cost=512, parallelism=1).hash(PASSWORD),
        "django-pbkdf2": django.PBKDF2PasswordHasher().encode(PASSWORD, SALT, iterations=1000),
        "django-scrypt": django.ScryptPasswordHasher().encode(PASSWORD, SALT, n=256),
        "passlib-scrypt": f"$scrypt$ln=8,r=8,p=1$c2FsdHNhbHQ${base64.b64encode(scrypt).decode().rstrip('=')}",
    }
    files = {
        kind: ("users.jsonl", json.dumps({"email": f"{kind}@example.com", "password_hash": encoded}))
        for kind, encoded in hashes.items()
    }
    auth0 = {"_id": {"$oid": "1"}, "email": "auth0@example.com", "passwordHash": BCRYPT, "tenant": "t"}
    return {
        **files,
        "auth0": ("export.json", json.dumps(auth0)),
        "keycloak": ("realm.json", json.dumps({"realm": "r", "users": [keycloak_user()]}, indent=2)),
        "firebase": ("accounts.json", json.dumps({"users": [FIREBASE_USER]}, indent=2)),
    }


def test_every_kind_of_hash_logs_in_and_is_argon2id_from_then_on(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "parameters").write_text(FIREBASE_PARAMETERS)
    kinds = foreign_files()
    for kind, (name, text) in kinds.items():
        (tmp_path / name).write_text(text)
        extra = ["--hash-parameters", "parameters"] if kind == "firebase" else []
        outcome = import_(tmp_path, database_url, name, "--json", *extra)
        assert (outcome.returncode, summary(outcome)) == (0, (1, 0, 0)), outcome.stderr
    imported = accounts(database_url)
    auth: Watchword[Any] = Watchword(make_settings(database_url))
    with Client(make_app(auth)) as client:
        for kind in kinds:
            password = FIREBASE_PASSWORD if kind == "firebase" else PASSWORD
            assert client.ask_token(f"{kind}@example.com", password + "!").status_code == 400
            assert client.ask_token(f"{kind}@example.com", password).status_code == 200, kind
            assert client.ask_token(f"{kind}@example.com", password).status_code == 200, kind
    for email, account in accounts(database_url).items():
        assert account.password_hash != imported[email].password_hash
        assert (account.password_hash or "").startswith(f"$argon2id$v=19${CHEAP_HASH}$"), email
    assert "jxspr8Ki" not in repr([account.password_hash for account in imported.values()])
    assert imported["keycloak@example.com"].id == UUID("6d1d2b5e-3c3a-4b0e-9a8e-0d6f2f6a2b11")


SECRETS = ("$1$secret", "pbkdf2_sha256$99999999$secret", "$2b$31$")
BAD_ROWS: list[tuple[str | bytes, str | None, str]] = [  # what is in a line, the address that may be told, the reason
    ('{"email": "b@example.com"', None, "not JSON"),
    (json.dumps({"password_hash": SECRETS[0]}), None, "no email"),
    (json.dumps({"email": SECRETS[0]}), None, "not an email address"),
    (json.dumps({"email": "x@example.com\x00"}), None, "not an email address"),
    (json.dumps({"email": "x@example.com\ud800"}), None, "not an email address"),
    (
        json.dumps({"email": "=cmd@example.com", "is_active": 1}),
        "=cmd@example.com",
        "is_active: neither true nor false",
    ),
    (
        json.dumps({"email": "b@example.com", "password_hash": f"{SECRETS[0]}$digest"}),
        "b@example.com",
        "a password hash of a kind that cannot be verified here",
    ),
    (
        json.dumps({"email": "b@example.com", "password_hash": f"{SECRETS[1]}${'A' * 43}="}),
        "b@example.com",
        "a password hash that would cost too much to verify",
    ),
    (
        json.dumps({"email": "b@example.com", "password_hash": SECRETS[2] + "a" * 53}),
        "b@example.com",
        "a password hash that would cost too much to verify",
    ),
    (json.dumps({"email": "b@example.com", "id": "7"}), "b@example.com", "id: not a UUID"),
    (
        json.dumps({"email": "b@example.com", "profile": {"a": "\x00"}}),
        "b@example.com",
        "profile: has a value that cannot be stored",
    ),
    (json.dumps({"email": "A@EXAMPLE.com"}), "A@example.com", "the address or the id is on line 1 already"),
    (
        json.dumps({"email": "b@example.com", "id": "0190b1d0-0000-7000-8000-000000000000"}),
        "b@example.com",
        "the address or the id is on line 1 already",
    ),
    (b'{"email": "\xff@example.com"}', None, "not UTF-8"),
    (b'{"email": "' + b"x" * 10_000_000 + b'"}', None, "longer than 1 MiB"),
]


@pytest.mark.parametrize("extra", [(), ("--dry-run",)], ids=["import", "dry-run"])
def test_each_bad_row_is_told_and_the_others_go_in(tmp_path: Path, sqlite_url: str, extra: tuple[str, ...]) -> None:
    first = b'{"email": "a@example.com", "id": "0190b1d0-0000-7000-8000-000000000000"}'
    lines = [line.encode() if isinstance(line, str) else line for line, _, _ in BAD_ROWS]
    (tmp_path / "users.jsonl").write_bytes(b"\n".join([first, *lines, b'{"email": "z@example.com"}']))
    expected = [(number, email, reason) for number, (_, email, reason) in enumerate(BAD_ROWS, 2)]
    outcome = import_(tmp_path, sqlite_url, "users.jsonl", "--json", "--report", "refused.jsonl", *extra)
    assert outcome.returncode == 3
    assert summary(outcome) == (2, 0, len(BAD_ROWS))
    report = [json.loads(line) for line in (tmp_path / "refused.jsonl").read_text().splitlines()]
    assert [(row["line"], row["email"], row["reason"]) for row in report] == expected
    assert (tmp_path / "refused.jsonl").stat().st_mode & 0o777 == 0o600
    assert outcome.stderr.splitlines()[:2] == ["line 2: not JSON", "line 3: no email"]
    assert outcome.stderr.splitlines()[-1] == f"and {len(BAD_ROWS) - 10} more refused rows; all are in refused.jsonl"
    told = outcome.stdout + outcome.stderr + (tmp_path / "refused.jsonl").read_text()
    assert not [secret for secret in SECRETS if secret in told]
    assert set(accounts(sqlite_url)) == (set() if extra else {"a@example.com", "z@example.com"})

    outcome = import_(tmp_path, sqlite_url, "users.jsonl", "--report", "refused.csv", *extra)
    with (tmp_path / "refused.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["line", "email", "reason"]
    # A spreadsheet takes what begins with = for a formula.
    as_csv = [[str(line), (email or "").replace("=cmd", "'=cmd"), reason] for line, email, reason in expected]
    assert rows == as_csv


def test_a_dry_run_tells_what_would_be_and_writes_nothing(tmp_path: Path, database_url: str) -> None:
    assert import_(tmp_path, database_url, "-", stdin="email\na@example.com\n").returncode == 0
    before = accounts(database_url)
    text = f"email,password_hash\nA@example.com,\nb@example.com,{BCRYPT}\nc@example.com,\n"
    outcome = import_(tmp_path, database_url, "-", "--dry-run", stdin=text)
    assert outcome.stdout == (
        "2 would be imported, 1 there already, 0 refused.\nWithout a password: 1.\nPassword hashes: $2b$04 (1).\n"
    )
    assert accounts(database_url) == before
    assert outcome.returncode == 0


def test_duplicates_are_told_however_far_apart(tmp_path: Path, sqlite_url: str) -> None:
    lines = [f"u{number}@example.com" for number in range(3000)]
    text = "\n".join(["email", *lines, "U7@example.com", "last@example.com", ""])
    for arguments in (("--dry-run",), (), ()):
        outcome = import_(tmp_path, sqlite_url, "-", "--json", *arguments, stdin=text)
        assert outcome.stderr == "line 3002: the address or the id is on line 9 already (U7@example.com)\n"
    assert summary(outcome) == (0, 3001, 1)
    assert len(accounts(sqlite_url)) == 3001


def importing(directory: Path, url: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """An import that runs beside the test."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-m", "watchword", "users", "import", *arguments],
        cwd=directory,
        env=environment(WATCHWORD_DATABASE_URL=url, TERM="xterm"),
        text=True,
        **{**pipes, **options},
    )


def feed(process: "subprocess.Popen[str]", lines: Sequence[str], *, until: int, url: str) -> None:
    """Send lines, and leave the pipe open; return when so many accounts were made."""
    assert process.stdin is not None
    process.stdin.write("\n".join(lines))
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while len(accounts(url)) < until:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)


def test_an_import_that_is_killed_goes_on_where_it_was(tmp_path: Path, database_url: str) -> None:
    lines = ["email,password_hash", *(f"u{number}@example.com,{BCRYPT}" for number in range(5000))]
    process = importing(tmp_path, database_url, "-")
    try:
        feed(process, lines[:3500], until=1, url=database_url)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = len(accounts(database_url))
    assert 0 < before < 3500
    assert before % 1000 == 0
    outcome = import_(tmp_path, database_url, "-", "--json", stdin="\n".join(lines))
    assert (outcome.returncode, summary(outcome)) == (0, (5000 - before, before, 0))
    found = accounts(database_url)
    assert len(found) == 5000
    assert {account.password_hash for account in found.values()} == {BCRYPT}


def test_an_import_that_is_interrupted_tells_how_far_it_came(tmp_path: Path, sqlite_url: str) -> None:
    process = importing(tmp_path, sqlite_url, "-", "--json")
    try:
        lines = ["email", *(f"u{number}@long-enough-to-fill-a-pipe.example.com" for number in range(3500))]
        feed(process, lines, until=2000, url=sqlite_url)
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert json.loads(told)["imported"] == len(accounts(sqlite_url))


def test_two_imports_at_once_make_each_account_once(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "users.csv").write_text("\n".join(["email", *(f"u{number}@example.com" for number in range(4000))]))
    processes = [importing(tmp_path, database_url, "users.csv", "--json") for _ in range(2)]
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    summaries = [json.loads(output) for output, _ in told]
    assert sum(found["imported"] for found in summaries) == 4000
    assert sum(found["existing"] for found in summaries) == 4000
    assert len(accounts(database_url)) == 4000


def test_more_kinds_of_hashes_than_servers_could_measure_are_refused(tmp_path: Path, sqlite_url: str) -> None:
    digest = "A" * 43 + "="
    lines = [
        json.dumps({"email": f"u{number}@example.com", "password_hash": f"pbkdf2_sha256${number}$salt${digest}"})
        for number in range(10, 90)
    ]
    outcome = import_(tmp_path, sqlite_url, "-", "--json", stdin="\n".join(lines))
    assert summary(outcome) == (64, 0, 16)
    assert "one more kind than the 64" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "text", "told"),
    [
        (("missing.csv",), "", "missing.csv cannot be read: No such file or directory"),
        ((".",), "", ". cannot be read: Is a directory"),
        (("-",), "", "-: what format it has does not show: say --format (csv, jsonl, keycloak, auth0, firebase)"),
        (("-", "--format", "xml"), "", "--format is one of csv, jsonl, keycloak, auth0, firebase"),
        (("-", "--format", "csv"), "a,b\n", "has to name its columns, email among them"),
        (("-", "--format", "firebase"), "{}", "Firebase's hashes need the project's password hash parameters"),
        (("-", "--hash-parameters", "none"), "email\n", "none cannot be read: No such file or directory"),
        (("-", "--hash-parameters", "odd"), "email\n", "odd does not hold Firebase's password hash parameters: rounds"),
        (("-", "--profile-field", "city"), "email\n", "--profile-field is NAME=PATH"),
        (("-", "--profile-field", "city=town"), "email\n", "in the file itself"),
        (("-", "--report", "no/such/folder"), "email\n", "no/such/folder cannot be written"),
        (("odd", "--format", "csv", "--report", "./odd"), "", "--report is the file that is imported"),
    ],
)
def test_what_cannot_be_begun_is_one_line(
    tmp_path: Path, sqlite_url: str, arguments: tuple[str, ...], text: str, told: str
) -> None:
    odd = "email\nbase64_signer_key: c2VjcmV0c2VjcmV0"
    (tmp_path / "odd").write_text(odd)
    outcome = import_(tmp_path, sqlite_url, *arguments, stdin=text)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("watchword: ")
    assert outcome.stderr.count("\n") == 1
    assert told in outcome.stderr
    assert "c2VjcmV0" not in outcome.stderr
    assert (tmp_path / "odd").read_text() == odd


def test_the_files_of_the_documentation_are_imported(tmp_path: Path, sqlite_url: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8")
    files = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```', page, re.DOTALL | re.MULTILINE))
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for name, extra in {
        "users.csv": [],
        "users.jsonl": [],
        "realm.json": ["--profile-field", "name=firstName", "--profile-field", "city=attributes.city"],
        "auth0.json": [],
        "accounts.json": ["--hash-parameters", "parameters", "--profile-field", "name=displayName"],
    }.items():
        outcome = import_(tmp_path, sqlite_url, name, "--json", *extra)
        assert (outcome.returncode, outcome.stderr) == (0, ""), name
    found = accounts(sqlite_url)
    assert len(found) == 8
    assert found["fay@example.com"].profile == {"name": "Fay", "city": "Oslo"}
    assert found["user1@test.com"].profile == {"name": "Test User 1"}


def test_a_signer_key_is_never_an_argument(tmp_path: Path, sqlite_url: str) -> None:
    assert import_(tmp_path, sqlite_url, "-", "--signer-key", "x").returncode == 2


def test_production_wants_the_schema_there_and_development_makes_it(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
    text = "email\na@example.com\n"
    for arguments, variables in ((("-",), PRODUCTION), (("-", "--dry-run"), {})):
        refused = import_(tmp_path, url, *arguments, stdin=text, **variables)
        assert (refused.returncode, "run `watchword db upgrade`" in refused.stderr) == (1, True)
    made = import_(tmp_path, url, "-", stdin=text)
    assert (made.returncode, made.stdout.splitlines()[0]) == (0, "1 imported, 0 there already, 0 refused.")


def on_a_terminal(directory: Path, url: str, *arguments: str) -> str:
    """What is seen on a terminal while it runs."""
    terminal, theirs = pty.openpty()
    elsewhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": theirs}
    process = importing(directory, url, *arguments, **elsewhere, start_new_session=True)
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
    os.close(terminal)
    assert process.wait(30) == 0
    return seen.decode()


def test_a_terminal_shows_a_bar_and_a_pipe_does_not(tmp_path: Path, sqlite_url: str) -> None:
    text = "\n".join(["email", *(f"u{number}@example.com" for number in range(3000))])
    (tmp_path / "users.csv").write_text(text)
    seen = on_a_terminal(tmp_path, sqlite_url, "users.csv")
    assert "Importing" in seen
    assert "kB" in seen
    piped = import_(tmp_path, sqlite_url, "users.csv")
    assert piped.stderr == ""


def test_a_database_that_goes_away_ends_the_import_in_one_line(
    tmp_path: Path, postgresql: PostgreSQL, postgresql_url: str
) -> None:
    lines = ["email", *(f"u{number}@example.com" for number in range(1500))]
    process = importing(tmp_path, postgresql_url, "-")
    try:
        feed(process, lines * 4, until=1000, url=postgresql_url)  # more than the first read takes
        postgresql.drop(postgresql_url)
        told, errors = process.communicate("\n".join(f"late{number}@example.com" for number in range(3000)), timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("watchword: the database does not answer any more (")
    assert "run the same command again" in errors
    assert "imported" in told
