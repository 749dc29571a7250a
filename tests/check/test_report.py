"""What is told of what was found, in each format."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import jsonschema
import pytest

from tests.check.conftest import Check
from watchword.check.checking import Crash, Report
from watchword.check.model import Certainty, Finding, Location, Severity
from watchword.check.report import github, markdown, sarif, text
from watchword.check.report import json as as_json
from watchword.check.rules import RULES
from watchword.check.selection import select_rules

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json").read_text("utf-8"))
CHOSEN = select_rules(["WW100", "WW203"])
APP = """\
import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = "correct-horse-battery"; OTHER = f"staple-{app.title}-tail"


def claims(token: str):
    return jwt.decode(token, KEY)


def old_claims(token: str):
    return jwt.decode(token, KEY)


def ignored_claims(token: str):
    return jwt.decode(token, KEY)  # watchword: ignore[WW203] 100% ours, "really"
"""


@pytest.fixture
def report(check_text: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """Two findings and an ignored one, in main.py of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    return check_text(APP, *CHOSEN)


def written(write: Callable[[Report, TextIO], None], report: Report) -> str:
    to = io.StringIO()
    write(report, to)
    return to.getvalue()


def log(report: Report) -> dict[str, Any]:
    """A run of a SARIF log that fits the schema."""
    document = json.loads(written(sarif.write, report))
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    (run,) = document["runs"]
    assert isinstance(run, dict)
    return run


def finding_about_a_secret(report: Report, line: int = 5, end_line: int | None = None) -> Finding:
    rule = replace(report.findings[0].rule, id="WW208", name="secret-in-source")
    place = Location(report.findings[0].location.path, line, 7, end_line)
    return Finding(rule, place, "KEY is in the source", Certainty.CERTAIN)


def test_text_shows_the_line_the_fix_and_how_sure_it_is(report: Report) -> None:
    told = written(text.write, report)
    assert told == (
        "main.py\n\n"
        "  main.py:9:12 error WW203 jwt-decode-without-algorithms (certain)\n"
        "  jwt.decode without algorithms=[…]\n"
        "     8 │ def claims(token: str):\n"
        "  ❱  9 │     return jwt.decode(token, KEY)\n"
        "    10 │ \n"
        "  Fix: Name the one algorithm you sign with.\n\n"
        "  main.py:13:12 error WW203 jwt-decode-without-algorithms (certain)\n"
        "  jwt.decode without algorithms=[…]\n"
        "    12 │ def old_claims(token: str):\n"
        "  ❱ 13 │     return jwt.decode(token, KEY)\n"
        "    14 │ \n"
        "  Fix: Name the one algorithm you sign with.\n\n"
        "2 errors. Looked at 4 routes and 1 file with 2 rules; 1 ignored by comments.\n"
    )


def test_text_says_so_when_nothing_was_found(check_text: Check) -> None:
    told = written(text.write, check_text("from fastapi import FastAPI\napp = FastAPI()\n", *CHOSEN))
    assert told == "Nothing found. Looked at 4 routes and 1 file with 2 rules.\n"


@pytest.mark.parametrize("write", [text.write, as_json.write, sarif.write, markdown.write, github.write])
def test_no_format_prints_a_secret(report: Report, write: Callable[[Report, TextIO], None]) -> None:
    secret = finding_about_a_secret(report)
    beside = replace(report.findings[0], location=replace(secret.location, line=6))
    for findings in ((secret,), (secret, beside)):
        told = written(write, replace(report, rules=(*report.rules, secret.rule), findings=findings))
        assert "KEY is in the source" in told
        assert not re.search("correct-horse|staple-|-tail", told)
    unsure = written(write, replace(report, findings=(beside,), unsure=(secret,)))
    assert not re.search("correct-horse|staple-|-tail", unsure)


def test_a_frame_is_masked_and_still_tells_what_is_done(report: Report) -> None:
    told = written(text.write, replace(report, findings=(finding_about_a_secret(report),)))
    assert '❱ 5 │ KEY = "…"; OTHER = "…"\n' in told


def test_strings_of_several_lines_are_masked(check_text: Check) -> None:
    report = check_text(
        'from fastapi import FastAPI\napp = FastAPI()\nKEY = """uno\ndos\n""" + b"tres".hex() + "cuatro"\n'
    )
    known = check_text(APP, *CHOSEN)
    place = Location(report.subject.sources.own[0].path, 3, 1, 5)
    secret = replace(finding_about_a_secret(known), location=place)
    told = written(text.write, replace(report, findings=(secret,)))
    assert '❱ 3 │ KEY = "…" + "…".hex() + "…"\n' in told
    assert not re.search("uno|dos|tres|cuatro", told)


def test_json_says_all_of_it(report: Report) -> None:
    told = json.loads(written(as_json.write, report))
    assert told["version"] == 1
    assert told["counts"] == {"error": 2, "warning": 0, "note": 0}
    assert told["findings"][0] == {
        "rule": "WW203",
        "name": "jwt-decode-without-algorithms",
        "severity": "error",
        "certainty": "certain",
        "message": "jwt.decode without algorithms=[…]",
        "subject": "",
        "path": "main.py",
        "line": 9,
        "column": 12,
        "end_line": 9,
        "fix": "Name the one algorithm you sign with.",
    }
    assert [finding["reason"] for finding in told["ignored"]] == ['100% ours, "really"']


def test_what_is_less_sure_than_wanted_is_counted_and_not_told(report: Report) -> None:
    first, second = report.findings
    mixed = replace(report, findings=(first, replace(second, certainty=Certainty.POSSIBLE)))
    sure = mixed.at_least(Certainty.LIKELY)
    assert sure.findings == (first,)
    assert "1 less sure one not shown" in written(text.write, sure)
    assert mixed.at_least(Certainty.POSSIBLE).findings == mixed.findings


def test_sarif_fits_its_schema_and_names_each_rule(report: Report) -> None:
    run = log(replace(report, rules=RULES))
    driver = run["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    assert all(rule["helpUri"].startswith("https://") and rule["help"]["markdown"] for rule in driver["rules"])
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "WW203"
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "main.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 9, "startColumn": 12}
    assert run["results"][0]["properties"] == {"certainty": "certain", "precision": "very-high"}
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == f"{Path.cwd().resolve().as_uri()}/"


def test_sarif_has_what_was_ignored_as_suppressed_and_why(report: Report) -> None:
    suppressions = [result["suppressions"] for result in log(report)["results"]]
    assert suppressions == [[], [], [{"kind": "inSource", "justification": '100% ours, "really"'}]]


def test_sarif_without_findings_fits_its_schema(check_text: Check) -> None:
    assert log(check_text("from fastapi import FastAPI\napp = FastAPI()\n", *CHOSEN))["results"] == []


def test_sarif_of_something_elsewhere_has_its_whole_address(report: Report) -> None:
    elsewhere = replace(report.findings[0], location=Location(Path("/elsewhere/a b.py"), 1))
    folder = replace(elsewhere, location=Location(Path.cwd().resolve()))
    results = log(replace(report, findings=(elsewhere, folder)))["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert places[0]["artifactLocation"] == {"uri": "file:///elsewhere/a%20b.py"}
    assert "region" not in places[1]


def test_a_rule_that_could_not_be_applied_is_told_to_programs(report: Report) -> None:
    crashed = replace(report, crashes=(Crash(report.rules[0], "KeyError in ww100.py:1"),))
    (invocation,) = log(crashed)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "WW100 could not be applied" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    told = json.loads(written(as_json.write, crashed))["crashes"]
    assert told == [{"rule": "WW100", "what": "KeyError in ww100.py:1"}]


def marks(report: Report) -> list[str]:
    return [result["partialFingerprints"]["watchwordFinding/v1"] for result in log(report)["results"]]


def test_a_fingerprint_stays_when_lines_move_and_tells_findings_apart(check_text: Check, report: Report) -> None:
    before = marks(report)
    assert len(set(before)) == 3
    moved = check_text(
        APP.replace("app = FastAPI()", "\n\n# more\napp = FastAPI()").replace("correct-horse", "new"), *CHOSEN
    )
    assert marks(moved) == before
    changed = check_text(
        APP.replace("return jwt.decode(token, KEY)\n\n\ndef old", "return jwt.decode(token, OTHER)\n\n\ndef old"),
        *CHOSEN,
    )
    assert len(set(before) & set(marks(changed))) == 2


def test_a_workflow_command_is_escaped(report: Report) -> None:
    first = report.findings[0]
    odd = replace(
        first,
        rule=replace(first.rule, severity=Severity.NOTE, fix="50% of\nit"),
        location=replace(first.location, path=Path.cwd().resolve() / "a,b:c.py"),
        message="GET /a::b\r\nis, well, open",
    )
    lines = written(github.write, replace(report, findings=(first, odd))).splitlines()
    assert lines[0] == (
        "::error file=main.py,line=9,col=12,title=WW203 jwt-decode-without-algorithms::"
        "jwt.decode without algorithms=[…] (certain). Name the one algorithm you sign with."
    )
    assert lines[1] == (
        "::notice file=a%2Cb%3Ac.py,line=9,col=12,title=WW203 jwt-decode-without-algorithms::"
        "GET /a::b%0D%0Ais, well, open (certain). 50%25 of%0Ait"
    )
    assert len(lines) == 3


def test_paths_are_those_of_the_repository_in_a_workflow(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd().parent))
    path = f"{Path.cwd().name}/main.py"
    assert f"file={path}," in written(github.write, report)
    assert log(report)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path


def test_markdown_is_a_table_that_mentions_nobody_and_breaks_nowhere(report: Report) -> None:
    odd = replace(report.findings[0], message="@everyone: a | b <img> [x](y) `c`\nnext")
    told = written(markdown.write, replace(report, findings=(odd,)))
    (row,) = [line for line in told.splitlines() if line.startswith("| error")]
    what = r"@<!-- -->everyone: a \| b \<img\> \[x\](y) \`c\` next"
    assert row == f"| error | WW203 jwt-decode-without-algorithms | `main.py:9` | {what} | certain |"
    assert "```python\nimport jwt" in told
    assert told.count("<details>") == told.count("</details>") == 1


def test_markdown_fits_a_comment_whatever_was_found(report: Report) -> None:
    many = tuple(replace(report.findings[0], subject=str(number)) for number in range(5000))
    told = written(markdown.write, replace(report, findings=many))
    assert len(told) < 65_536
    assert "… and 4900 more." in told
