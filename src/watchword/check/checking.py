"""All rules over one app."""

import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from typing_extensions import override

from watchword.check.ignores import Ignores
from watchword.check.model import Certainty, Finding, Found, Rule
from watchword.check.rules import RULES, ww100_ignore_comment
from watchword.check.sources import collector_paused
from watchword.check.subject import Subject


@dataclass(frozen=True, slots=True)
class Crash:
    """A rule that could not be applied: a mistake of ours, and not of the app.

    Attributes:
        rule: It.
        what: What it raised, and where.
    """

    rule: Rule
    what: str

    @override
    def __str__(self) -> str:
        return f"{self.rule.id} could not be applied, which is a bug of watchword check: {self.what}"


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        subject: What was looked at.
        rules: What was looked for.
        findings: By file, line and rule.
        ignored: Those that a comment in the source says to leave out, and the reason it gives.
        unsure: Those that are less sure than what was asked for.
        crashes: Rules that were not applied.
    """

    subject: Subject
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...]
    ignored: tuple[tuple[Finding, str], ...]
    unsure: tuple[Finding, ...] = ()
    crashes: tuple[Crash, ...] = ()

    def all_findings(self) -> Iterator[Finding]:
        """Those that are told, and those that are not."""
        yield from self.findings
        yield from self.unsure
        yield from (finding for finding, _ in self.ignored)

    def at_least(self, certainty: Certainty) -> "Report":
        """The same without what is less sure."""
        kinds = list(Certainty)  # the surest first
        sure = kinds[: kinds.index(certainty) + 1]
        unsure = tuple(finding for finding in self.findings if finding.certainty not in sure)
        return replace(self, findings=tuple(f for f in self.findings if f not in unsure), unsure=unsure)


def check(subject: Subject, rules: Iterable[Rule] = RULES) -> Report:
    """Apply rules to an app. One that raises does not keep the others from it."""
    rules = tuple(rules)
    found: set[Finding] = set()
    crashes: list[Crash] = []
    with collector_paused():
        for rule in rules:
            try:
                found.update(_findings(rule, subject))
            except Exception as error:  # noqa: BLE001 — whatever an app is written like that nobody thought of
                crashes.append(Crash(rule, _what(error)))
    if ww100_ignore_comment.RULE in rules:
        found |= set(ww100_ignore_comment.find_unused(subject, found, rules))
    findings, ignored = Ignores(subject.sources).sort_out(sorted(found, key=_order))
    return Report(subject, rules, findings, ignored, crashes=tuple(crashes))


def _findings(rule: Rule, subject: Subject) -> Iterator[Finding]:
    for found in rule.check(subject):
        yield Finding(_with_severity(rule, found), found.location, found.message, found.certainty, found.subject)


def _what(error: Exception) -> str:
    """Its kind and where it was raised; not its text, which may hold a secret of the app."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"


def _with_severity(rule: Rule, found: Found) -> Rule:
    return rule if found.severity is None else replace(rule, severity=found.severity)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.location
    return (str(place.path), place.line, place.column, finding.rule.id, finding.subject)
