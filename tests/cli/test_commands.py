"""The command line, as an operator uses it."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.cli.processes import PASSWORD, PRODUCTION, SECRET, call, raw, run, serving

from watchword.cli.reference import commands_page, settings_page

REPOSITORY = Path(__file__).parents[2]


def test_help_imports_neither_the_web_nor_the_database() -> None:
    program = (
        "import sys\nsys.argv = ['watchword', '--help']\n"
        "from watchword.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'fastapi', 'sqlalchemy', 'uvicorn', 'alembic'} & set(sys.modules)))\n"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.splitlines()[-1] == "[]"


def test_the_version_is_told(tmp_path: Path) -> None:
    assert run(tmp_path, "--version").stdout.startswith("watchword 0.")


def test_the_demo_shows_a_real_login_and_leaves_nothing(tmp_path: Path) -> None:
    outcome = run(tmp_path, "demo", "--exit", WATCHWORD_ENVIRONMENT="production", WATCHWORD_NONSENSE="1")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.count("curl http://127.0.0.1:") == 3
    assert "/auth/users" in outcome.stdout
    assert '"email": "demo@example.com"' in outcome.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_says_so_when_its_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = run(tmp_path, "demo", "--exit", "--port", str(port))
    assert outcome.returncode == 1
    assert outcome.stderr == f"watchword: port {port} is taken: choose another with --port\n"


def test_users_are_made_listed_disabled_and_enabled(tmp_path: Path) -> None:
    created = run(tmp_path, "users", "create", "a@example.com", "--password-stdin", "--json", stdin=f"{PASSWORD}\n")
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout)["is_active"] is True
    assert run(tmp_path, "users", "disable", "A@example.com").stdout == "Disabled a@example.com.\n"
    assert [user["is_active"] for user in json.loads(run(tmp_path, "users", "list", "--json").stdout)] == [False]
    assert run(tmp_path, "users", "enable", "a@example.com").stdout == "Enabled a@example.com.\n"
    assert "a@example.com" in run(tmp_path, "users", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (("users", "create", "a@example.com", "--password-stdin"), "short\n", "at least 15 characters"),
        (("users", "create", "not an address", "--password-stdin"), f"{PASSWORD}\n", "This is not an email address"),
        (("users", "create", "a@example.com"), "", "use --password-stdin"),
        (("users", "disable", "nobody@example.com"), "", "There is no user with this email"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path: Path, arguments: tuple[str, ...], stdin: str, told: str) -> None:
    outcome = run(tmp_path, *arguments, stdin=stdin)
    assert outcome.returncode == 1
    assert told in outcome.stderr
    assert [line.startswith("watchword: ") for line in outcome.stderr.splitlines() if "secret" not in line] == [True]


def test_a_password_is_never_an_argument(tmp_path: Path) -> None:
    assert run(tmp_path, "users", "create", "a@example.com", PASSWORD).returncode == 2
    assert run(tmp_path, "users", "create", "a@example.com", "--password", PASSWORD).returncode == 2


def test_the_schema_is_checked_and_upgraded(tmp_path: Path) -> None:
    checked = run(tmp_path, "db", "check", **PRODUCTION)
    assert (checked.returncode, "run `watchword db upgrade`" in checked.stdout) == (1, True)
    refused = run(tmp_path, "users", "list", **PRODUCTION)
    assert (refused.returncode, "run `watchword db upgrade`" in refused.stderr) == (1, True)
    assert json.loads(run(tmp_path, "db", "upgrade", "--json", **PRODUCTION).stdout)["before"] is None
    assert "Up to date" in run(tmp_path, "db", "upgrade", **PRODUCTION).stdout
    assert run(tmp_path, "db", "check", **PRODUCTION).returncode == 0
    assert run(tmp_path, "users", "list", "--json", **PRODUCTION).stdout == "[]\n"


@pytest.mark.parametrize("command", [("settings",), ("serve",), ("users", "list"), ("db", "check"), ("calibrate",)])
def test_a_bad_setting_is_one_line_whatever_the_command(tmp_path: Path, command: tuple[str, ...]) -> None:
    outcome = run(tmp_path, *command, WATCHWORD_ACCESS_TOKEN_LIFETIME="soon")
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("watchword: WATCHWORD_ACCESS_TOKEN_LIFETIME is not a duration")
    assert outcome.stderr.count("\n") == 1


def test_settings_show_what_is_in_force_and_no_secret(tmp_path: Path) -> None:
    variables = {
        "WATCHWORD_SECRET": SECRET,
        "WATCHWORD_DATABASE_URL": "postgresql://user:hunter2@127.0.0.1/name",
        "WATCHWORD_ACCESS_TOKEN_LIFETIME": "PT5M",
    }
    for arguments in (("settings",), ("settings", "--json")):
        outcome = run(tmp_path, *arguments, **variables)
        assert SECRET not in outcome.stdout
        assert "hunter2" not in outcome.stdout
        assert "5m" in outcome.stdout
    assert json.loads(outcome.stdout)["WATCHWORD_DATABASE_URL"] == "postgresql+asyncpg://user:***@127.0.0.1/name"


def test_calibrate_measures_the_named_costs_and_the_one_in_force(tmp_path: Path) -> None:
    measured = json.loads(run(tmp_path, "calibrate", "--json", WATCHWORD_PASSWORD_COST="m=7168,t=1,p=1").stdout)
    assert [cost["name"] for cost in measured] == ["owasp", "rfc9106", "m=7168,t=1,p=1"]
    assert [cost["is_configured"] for cost in measured] == [False, False, True]
    assert all(cost["milliseconds"] > 0 for cost in measured)


@pytest.mark.parametrize(("name", "page"), [("settings", settings_page), ("cli", commands_page)])
def test_the_reference_is_what_the_program_says(name: str, page: Callable[[], str]) -> None:
    written = REPOSITORY / "docs" / "reference" / f"{name}.md"
    assert written.read_text("utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_server_logs_people_in_with_one_or_several_workers(tmp_path: Path, workers: str) -> None:
    with serving(tmp_path, "--workers", workers) as base:
        account = json.dumps({"email": "a@example.com", "password": PASSWORD}).encode()
        assert call("POST", f"{base}/auth/users", account, Content_Type="application/json")[0] == 201
        form = urlencode({"grant_type": "password", "username": "a@example.com", "password": PASSWORD}).encode()
        tokens = []
        for _ in range(4):
            status, answer = call("POST", f"{base}/auth/token", form, Content_Type="application/x-www-form-urlencoded")
            assert status == 200
            tokens.append(answer["access_token"])
        for token in tokens * 3:  # whichever worker answers knows every worker's tokens
            assert call("GET", f"{base}/auth/me", Authorization=f"Bearer {token}")[0] == 200
        assert len({json.dumps(call("GET", f"{base}/auth/jwks")[1], sort_keys=True) for _ in range(8)}) == 1
        assert call("GET", f"{base}/health/live") == (200, {"status": "alive"})
        assert sorted(path.name for path in tmp_path.iterdir() if "-" not in path.name) == [
            "watchword.db",
            "watchword.secret",
        ]


def test_the_server_refuses_what_two_parsers_could_read_in_two_ways(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        start = b"GET /health/live HTTP/1.1\r\n"
        assert b" 400 " in raw(base, start + b"Host: a\r\nHost: b\r\n\r\n").splitlines()[0]
        assert b" 400 " in raw(base, start + b"Accept: */*\r\n\r\n").splitlines()[0]
        many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 1000) for number in range(70))
        assert b" 431 " in raw(base, start + b"Host: a\r\n" + many + b"\r\n").splitlines()[0]
        smuggled = (
            b"POST /auth/token HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        assert b" 400 " in raw(base, smuggled).splitlines()[0]


def test_production_takes_credentials_over_https_alone_and_believes_named_proxies_only(tmp_path: Path) -> None:
    assert run(tmp_path, "db", "upgrade", **PRODUCTION).returncode == 0
    form = urlencode({"grant_type": "password", "username": "a@example.com", "password": PASSWORD}).encode()
    headers = {"Content_Type": "application/x-www-form-urlencoded", "X_Forwarded_Proto": "https"}
    with serving(tmp_path, **PRODUCTION) as base:
        status, answer = call("POST", f"{base}/auth/token", form, **headers)
        assert (status, answer["error"]) == (400, "invalid_request")
        assert answer["detail"] == "Credentials are only accepted over https"
        assert call("GET", f"{base}/openapi.json")[0] == 404
    with serving(tmp_path, **PRODUCTION, WATCHWORD_TRUSTED_PROXIES="127.0.0.1") as base:
        status, answer = call("POST", f"{base}/auth/token", form, **headers)
        assert (status, answer["error"]) == (400, "invalid_grant")
