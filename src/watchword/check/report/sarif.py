"""SARIF 2.1.0: what code scanning of GitHub, GitLab, Azure and others reads."""

import json
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import quote

from watchword.check.checking import Report
from watchword.check.model import Certainty, Finding, Rule, Severity
from watchword.check.report.fingerprints import fingerprints
from watchword.check.report.places import in_repository, repository_root
from watchword.check.report.references import linked, url_of

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"
_SECURITY_SEVERITIES: Final = {Severity.ERROR: "8.0", Severity.WARNING: "5.0", Severity.NOTE: "2.0"}
"""How bad GitHub shows them: high, medium, low."""
_PRECISIONS: Final = {Certainty.CERTAIN: "very-high", Certainty.LIKELY: "high", Certainty.POSSIBLE: "medium"}
"""Our certainties in the words of code scanning."""


def write(report: Report, to: TextIO) -> None:
    """One log with one run; what comments answer for is in it, as suppressed."""
    run = {
        "tool": {
            "driver": {
                "name": "watchword check",
                "semanticVersion": _version(),
                "rules": [_rule(rule) for rule in report.rules],
            }
        },
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {_ROOT: {"uri": f"{repository_root().as_uri()}/"}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(report)),
    }
    json.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, to, indent=2, ensure_ascii=False)
    to.write("\n")


def _invocation(report: Report) -> dict[str, Any]:
    crashes = [{"level": "error", "message": {"text": str(crash)}} for crash in report.crashes]
    return {"executionSuccessful": not crashes, "toolExecutionNotifications": crashes}


def _version() -> str:
    try:
        return version("watchword")
    except PackageNotFoundError:  # run from a folder
        return "0"


def _rule(rule: Rule) -> dict[str, Any]:
    text = f"{rule.why}\n\n{rule.fix}"
    references = ", ".join(linked(reference) for reference in rule.references)
    markdown = (
        f"{rule.why}\n\n**Fix:** {rule.fix}\n\n```python\n# bad\n{rule.bad}```\n\n"
        f"```python\n# good\n{rule.good}```\n\n{references}"
    )
    urls = [url for reference in rule.references if (url := url_of(reference)) is not None]
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {"text": text, "markdown": markdown},
        **({"helpUri": urls[0]} if urls else {}),
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "tags": ["security", *(f"external/cwe/{r.lower()}" for r in rule.references if r.startswith("CWE-"))],
            "security-severity": _SECURITY_SEVERITIES[rule.severity],
        },
    }


def _results(report: Report) -> Iterator[dict[str, Any]]:
    reasons = [*((finding, None) for finding in report.findings), *report.ignored]
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    marks = fingerprints((finding for finding, _ in reasons), report.subject.sources)
    for (finding, reason), mark in zip(reasons, marks, strict=True):
        yield {
            "ruleId": finding.rule.id,
            "ruleIndex": index[finding.rule.id],
            "level": finding.rule.severity.value,
            "message": {"text": f"{finding.message}."},
            "locations": [{"physicalLocation": _place(finding)}],
            "partialFingerprints": {"watchwordFinding/v1": mark},
            # §3.27.23: all results have the list, or none has.
            "suppressions": [] if reason is None else [{"kind": "inSource", "justification": reason}],
            "properties": {"certainty": finding.certainty.value, "precision": _PRECISIONS[finding.certainty]},
        }


def _place(finding: Finding) -> dict[str, Any]:
    place = finding.location
    path = in_repository(place.path)
    artifact = {"uri": place.path.as_uri()} if path is None else {"uri": quote(path), "uriBaseId": _ROOT}
    region = {"startLine": place.line, "startColumn": place.column}
    if place.end_line is not None and place.end_line > place.line:
        region["endLine"] = place.end_line
    return {"artifactLocation": artifact} | ({} if _is_folder(place.path) else {"region": region})


def _is_folder(path: Path) -> bool:
    return path.is_dir()  # an app with no file of its own is told of by its folder
