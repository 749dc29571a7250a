"""Each rule on apps that have what it is about, and on apps that look as if they had."""

import re
from pathlib import Path

import pytest

from tests.check.conftest import Check
from watchword.check.model import Rule
from watchword.check.rules import RULES

EXAMPLES = Path(__file__).parent / "examples"
BAD = [
    pytest.param(rule, path, id=f"{rule.id}-{path.stem}")
    for rule in RULES
    for path in sorted((EXAMPLES / rule.id).glob("bad*.py"))
]
GOOD = [
    pytest.param(rule, path, id=f"{rule.id}-{path.stem}")
    for rule in RULES
    for path in sorted((EXAMPLES / rule.id).glob("good*.py"))
]

LIBRARIES = {"Authlib"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_has_at_least_two_bad_and_two_good_examples(rule: Rule) -> None:
    names = [path.name for path in (EXAMPLES / rule.id).glob("*.py")]
    assert sum(name.startswith("bad") for name in names) >= 2
    assert sum(name.startswith("good") for name in names) >= 2


@pytest.mark.parametrize(("rule", "path"), BAD)
def test_what_is_wrong_is_found_once(rule: Rule, path: Path, check_file: Check) -> None:
    findings = check_file(path, rule).findings
    assert len(findings) == 1, [finding.message for finding in findings]
    capitalised = re.match(r"[A-Z][a-z]+(?= )", findings[0].message)
    is_name = capitalised is None or capitalised[0] in LIBRARIES or f"class {capitalised[0]}" in path.read_text()
    assert is_name, "only names have capitals"


@pytest.mark.parametrize(("rule", "path"), GOOD)
def test_nothing_is_found_where_nothing_is_wrong(rule: Rule, path: Path, check_file: Check) -> None:
    assert [finding.message for finding in check_file(path, rule).findings] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_the_docs_show_is_what_the_rule_finds(rule: Rule, check_text: Check) -> None:
    assert len(check_text(rule.bad, rule).findings) == 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_fix_that_the_docs_show_has_nothing_that_any_rule_is_certain_of(rule: Rule, check_text: Check) -> None:
    assert [f"{finding.rule.id} {finding.message}" for finding in check_text(rule.good, rule).findings] == []
