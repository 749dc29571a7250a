"""JSON for programs. `version` goes up when a program that reads it would have to change."""

import json
from typing import Any, Final, TextIO

from watchword.check.checking import Report
from watchword.check.model import Finding, Rule, Severity
from watchword.check.report.places import shown

VERSION: Final = 1


def write(report: Report, to: TextIO) -> None:
    """One document; `docs/check.md` says what its fields are."""
    document = {
        "version": VERSION,
        "target": report.subject.target.name,
        "routes": len(report.subject.routes),
        "files": len(report.subject.sources.own),
        "rules": [rule.id for rule in report.rules],
        "counts": {severity.value: count for severity, count in counts(report).items()},
        "findings": [_finding(finding) for finding in report.findings],
        "ignored": [{**_finding(finding), "reason": reason} for finding, reason in report.ignored],
        "crashes": [{"rule": crash.rule.id, "what": crash.what} for crash in report.crashes],
    }
    to.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def counts(report: Report) -> dict[Severity, int]:
    """How many findings there are of each severity."""
    return {kind: sum(found.rule.severity is kind for found in report.findings) for kind in Severity}


def rule_dict(rule: Rule) -> dict[str, Any]:
    """All of a rule that is text."""
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": rule.summary,
        "why": rule.why,
        "fix": rule.fix,
        "bad": rule.bad,
        "good": rule.good,
        "references": list(rule.references),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    place = finding.location
    return {
        "rule": finding.rule.id,
        "name": finding.rule.name,
        "severity": finding.rule.severity.value,
        "certainty": finding.certainty.value,
        "message": finding.message,
        "subject": finding.subject,
        "path": shown(place.path),
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "fix": finding.rule.fix,
    }
