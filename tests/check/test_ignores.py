"""Comments that answer for findings."""

import pytest

from tests.check.conftest import Check
from watchword.check.ignores import Ignores
from watchword.check.selection import select_rules

CHOSEN = select_rules(["WW100", "WW203"])

APP = """\
import jwt
from fastapi import FastAPI

app = FastAPI()


{}
"""


def found(check_text: Check, code: str) -> tuple[list[str], list[str]]:
    """The rules that found something, and the reasons for leaving something out."""
    report = check_text(APP.format(code), *CHOSEN)
    return [finding.rule.id for finding in report.findings], [reason for _, reason in report.ignored]


@pytest.mark.parametrize(
    "code",
    [
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203] it is ours",
        "claims = lambda t, k: jwt.decode(t, k)  # noqa: E731 # watchword: ignore[WW203] it is ours",
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203]: it is ours # noqa: E731",
        "claims = lambda t, k: jwt.decode(t, k)  #watchword:ignore[ ww203 ] – it is ours",
        "# watchword: ignore[WW203] it is ours\nclaims = lambda t, k: jwt.decode(t, k)",
        "# watchword: ignore[WW203] it is ours\n# and more about it\n\nclaims = lambda t, k: jwt.decode(t, k)",
        "claims = lambda t, k: jwt.decode(  # watchword: ignore[WW203] it is ours\n    t,\n    k,\n)",
        "claims = lambda t, k: jwt.decode(\n    t,\n    k,\n)  # watchword: ignore[WW203] it is ours",
    ],
)
def test_a_comment_with_a_reason_leaves_a_finding_out(check_text: Check, code: str) -> None:
    assert found(check_text, code) == ([], ["it is ours"])


@pytest.mark.parametrize(
    "code",
    [
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203]",
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203] # noqa: E731",
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore WW203 it is ours",
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW999] it is ours",
        "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW101, WW999] it is ours",
        "# watchword: ignore[WW203] it is ours\n\nx = 1\nclaims = lambda t, k: jwt.decode(t, k)",
    ],
)
def test_a_comment_that_ignores_nothing_is_found_itself(check_text: Check, code: str) -> None:
    rules, reasons = found(check_text, code)
    assert sorted(rules) == ["WW100", "WW203"]
    assert reasons == []


def test_a_comment_on_a_decorator_speaks_of_the_function(check_text: Check) -> None:
    code = "# watchword: ignore[WW203] above\n@app.get('/x')  # watchword: ignore[WW101] beside\ndef x() -> None: ..."
    report = check_text(APP.format(code), *CHOSEN)
    (source,) = report.subject.sources.own
    line = next(number for number, text in enumerate(source.lines, 1) if text.startswith("def x"))
    assert [line in ignore.lines for ignore in Ignores(report.subject.sources).of(source.path)] == [True, True]


def test_one_comment_answers_for_several_rules(check_text: Check) -> None:
    code = "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203, WW100] it is ours"
    assert found(check_text, code) == ([], ["it is ours"])


def test_what_was_not_looked_for_is_no_reason_to_remove_a_comment(check_text: Check) -> None:
    code = "claims = lambda t, k: t  # watchword: ignore[WW203] it is ours"
    assert [f.message for f in check_text(APP.format(code), *CHOSEN).findings] == [
        "a comment ignores WW203, which finds nothing there"
    ]
    assert check_text(APP.format(code), *select_rules(["WW100", "WW101"])).findings == ()


def test_a_comment_about_what_only_an_answer_shows_is_no_mistake_when_nothing_was_asked(check_text: Check) -> None:
    code = "claims = lambda t, k: t  # watchword: ignore[WW501] it is meant"
    assert "WW100" not in [finding.rule.id for finding in check_text(APP.format(code)).findings]


def test_lines_are_counted_as_python_counts_them(check_text: Check) -> None:
    code = "claims = lambda t, k: jwt.decode(t, k)  # watchword: ignore[WW203] it is ours"
    assert found(check_text, f"\x0c\nname = '\x1c\u2028'\n{code}") == ([], ["it is ours"])
