"""`watchword check` and `watchword rules`, as somebody runs them on an app."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.processes import run

from watchword.check.rules import RULES
from watchword.cli.reference import rules_page

REPOSITORY = Path(__file__).parents[2]
BAD = """\
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Security
from fastapi.security import OAuth2PasswordBearer

print("the app prints this")
app = FastAPI(openapi_url=None)
bearer = OAuth2PasswordBearer(tokenUrl="nowhere", scopes={"read": "Read"})


@app.get("/me")
def me(token: Annotated[str, Security(bearer, scopes=["read"])]) -> dict[str, object]:
    return jwt.decode(token, "key")


@app.get("/public")
def public() -> None: ...
"""
CHOSEN = ("--select", "WW101,WW203")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an app in which two things are wrong."""
    (tmp_path / "shop.py").write_text(BAD)
    return tmp_path


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    outcome = run(folder, "check", "shop:app", "--format", "json", *CHOSEN, *arguments)
    document = json.loads(outcome.stdout)
    assert isinstance(document, dict)
    return document


def rules_found(folder: Path, *arguments: str) -> list[str]:
    return [finding["rule"] for finding in report(folder, *arguments)["findings"]]


def test_what_is_wrong_is_told_and_the_status_is_1(folder: Path) -> None:
    outcome = run(folder, "check", "shop:app", *CHOSEN)
    assert outcome.returncode == 1
    assert "shop.py:14:12 error WW203 jwt-decode-without-algorithms (certain)" in outcome.stdout
    assert "❱ 14 │     return jwt.decode(token" in outcome.stdout
    assert "\x1b" not in outcome.stdout
    assert outcome.stdout.splitlines()[-1].startswith("2 errors. Looked at 2 routes and 1 file with 2 rules")


def test_what_an_app_prints_is_not_in_the_report(folder: Path) -> None:
    (folder / "shop.py").write_text(BAD + "import atexit, os\nos.write(1, b'raw\\n')\natexit.register(print, 'bye')\n")
    outcome = run(folder, "check", "shop:app", "--format", "json", *CHOSEN)
    assert json.loads(outcome.stdout)["counts"]["error"] == 2
    assert all(said in outcome.stderr for said in ("the app prints this", "raw", "bye"))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((), 1),
        (("--fail-on", "error"), 1),
        (("--fail-on", "note"), 1),
        (("--fail-on", "never"), 0),
        (("--ignore", "WW"), 2),
        (("--fail-on", "fatal"), 2),
        (("--format", "xml"), 2),
        (("--routes", "--format", "sarif"), 2),
        (("--baseline", "nowhere.toml"), 2),
        (("--output", "nowhere/report.json"), 2),
    ],
)
def test_the_status_tells_what_became_of_it(folder: Path, arguments: tuple[str, ...], status: int) -> None:
    outcome = run(folder, "check", "shop:app", *CHOSEN, *arguments)
    assert outcome.returncode == status, outcome.stderr
    if status == 2:
        assert outcome.stdout == ""


def test_an_app_without_findings_is_status_0(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    outcome = run(tmp_path, "check", "shop:app")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("Nothing found.")


@pytest.mark.parametrize("target", ["nowhere:app", "shop:nothing"])
def test_an_app_that_cannot_be_loaded_is_one_line_and_status_2(folder: Path, target: str) -> None:
    outcome = run(folder, "check", target)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert outcome.stderr.splitlines()[-1].startswith("watchword: ")


def test_rules_are_chosen_by_ids_and_their_beginnings(folder: Path) -> None:
    assert rules_found(folder) == ["WW101", "WW203"]
    assert rules_found(folder, "--ignore", "WW2") == ["WW101"]
    assert rules_found(folder, "--ignore", "ww101") == ["WW203"]


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_a_rule_that_there_is_not_is_told(folder: Path, option: str) -> None:
    outcome = run(folder, "check", "shop:app", option, "WW1,WW999")
    assert outcome.returncode == 2
    assert outcome.stderr == "watchword: there is no rule WW999: `watchword rules` lists them\n"


def test_a_report_goes_into_a_file(folder: Path) -> None:
    outcome = run(folder, "check", "shop:app", *CHOSEN, "--format", "sarif", "--output", "report.sarif")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert json.loads((folder / "report.sarif").read_text("utf-8"))["version"] == "2.1.0"


def test_the_route_table_says_who_may_use_what(folder: Path) -> None:
    outcome = run(folder, "check", "shop:app", "--routes")
    assert outcome.returncode == 0
    rows = [line.split() for line in outcome.stdout.splitlines() if line.strip().startswith("GET")]
    assert [row[:4] for row in rows] == [["GET", "/me", "scoped", "read"], ["GET", "/public", "public"]]
    assert rows[0][4].startswith("OAuth2PasswordBearer")
    told = json.loads(run(folder, "check", "shop:app", "--routes", "--format", "json").stdout)
    assert told["routes"][0].pop("guards")[0] == {
        "by": "OAuth2PasswordBearer",
        "scopes": ["read"],
        "certainty": "certain",
    }
    assert told["routes"][0] == {
        "methods": ["GET"],
        "path": "/me",
        "access": "scoped",
        "scopes": ["read"],
        "handler": "shop.py:13",
    }


def test_a_baseline_is_written_and_then_read(folder: Path) -> None:
    outcome = run(folder, "check", "shop:app", "--write-baseline")
    assert (outcome.returncode, outcome.stdout) == (0, "Wrote watchword-routes.toml: 2 routes, 1 of them public.\n")
    assert '"GET /me" = "read"' in (folder / "watchword-routes.toml").read_text()
    (folder / "shop.py").write_text(BAD.replace('"/public"', '"/open"'))
    outcome = run(folder, "check", "shop:app", "--write-baseline", "--baseline", "watchword-routes.toml")
    assert outcome.stdout.splitlines()[1] == "No longer there: GET /public."
    (folder / "watchword-routes.toml").write_text("version = ")
    assert run(folder, "check", "shop:app").returncode == 2


def test_a_factory_is_checked(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("from fastapi import FastAPI\ndef create_app(): return FastAPI()\n")
    assert run(tmp_path, "check", "shop:create_app").returncode == 2
    assert run(tmp_path, "check", "shop:create_app", "--factory").returncode == 0


def test_rules_are_listed_and_explained(tmp_path: Path) -> None:
    listed = run(tmp_path, "rules").stdout
    assert all(rule.id in listed and rule.name in listed for rule in RULES)
    told = run(tmp_path, "rules", "ww203").stdout
    rule = next(rule for rule in RULES if rule.id == "WW203")
    assert all(part in told for part in (rule.why, rule.fix, rule.bad, rule.good, *rule.references))
    assert json.loads(run(tmp_path, "rules", "WW203", "--format", "json").stdout)["bad"] == rule.bad
    assert [each["id"] for each in json.loads(run(tmp_path, "rules", "--format", "json").stdout)] == [
        rule.id for rule in RULES
    ]


@pytest.mark.parametrize(
    ("arguments", "told"), [(("WW999",), "there is no rule WW999"), (("--format", "sarif"), "json")]
)
def test_rules_that_cannot_be_told_are_status_2(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    outcome = run(tmp_path, "rules", *arguments)
    assert outcome.returncode == 2
    assert told in outcome.stderr


def test_checking_needs_nothing_of_watchword_but_the_inspector(folder: Path) -> None:
    program = (
        "import sys\nsys.argv = ['watchword', 'check', 'shop:app', '--output', 'report.txt']\n"
        "from watchword.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted(m for m in sys.modules if m.startswith('watchword')), file=sys.stderr)\n"
        "print('sqlalchemy' in sys.modules, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    *_, modules, has_sqlalchemy = outcome.stderr.splitlines()
    ours = {name.split(".")[1] for name in json.loads(modules.replace("'", '"')) if "." in name}
    assert ours == {"check", "cli"}
    assert has_sqlalchemy == "False"


def test_the_page_on_rules_is_what_the_rules_say() -> None:
    written = (REPOSITORY / "docs" / "reference" / "rules.md").read_text("utf-8")
    assert written == rules_page(), "run `make docs`"


def blocks(language: str) -> list[str]:
    """The code in the page on checking."""
    page = (REPOSITORY / "docs" / "check.md").read_text("utf-8")
    found = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [code for kind, code in found if kind == language]


def test_the_page_on_checking_shows_what_is_told(tmp_path: Path) -> None:
    app, ignored = blocks("python")
    (tmp_path / "shop.py").write_text(app)
    told = run(tmp_path, "check", "shop.py", "--select", "WW203").stdout
    assert next(block for block in blocks("") if "WW203" in block) in told
    excuse, call = ignored.splitlines()
    line = next(line for line in app.splitlines() if "jwt.decode(" in line)
    assert call.startswith(line.strip()[:19])
    (tmp_path / "shop.py").write_text(app.replace(line, f"        {excuse}\n{line}"))
    outcome = run(tmp_path, "check", "shop.py", "--select", "WW203,WW100")
    assert outcome.returncode == 0
    assert "1 ignored by comments" in outcome.stdout


def test_what_the_page_tells_ci_to_run_runs(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    workflow, hook = (yaml.safe_load(block) for block in blocks("yaml"))
    steps = [step.get("run", "") for step in workflow["jobs"]["check"]["steps"]]
    commands = [*(step for step in steps if step.startswith("watchword")), hook["repos"][0]["hooks"][0]["entry"]]
    assert len(commands) == 3
    for command in commands:
        assert run(tmp_path, *command.split()[1:]).returncode == 0
    assert json.loads((tmp_path / "login.sarif").read_text("utf-8"))["runs"]


def test_our_hooks_are_ones_that_pre_commit_takes() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(REPOSITORY / ".pre-commit-hooks.yaml")]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
