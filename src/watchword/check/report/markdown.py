"""Markdown for a comment on a pull request."""

import re
from typing import Final, TextIO

from watchword.check.checking import Report
from watchword.check.model import Finding
from watchword.check.report.places import shown
from watchword.check.report.references import linked
from watchword.check.report.text import summary

_MOST: Final = 100  # a comment holds 65,536 characters


def write(report: Report, to: TextIO) -> None:
    """A table of what was found, and how each kind of it is mended."""
    to.write(f"### `watchword check {_code(report.subject.target.name)}`\n\n{summary(report)}\n")
    if not report.findings:
        return
    to.write("\n| Severity | Rule | Where | What | Certainty |\n|---|---|---|---|---|\n")
    to.writelines(_row(finding) for finding in report.findings[:_MOST])
    if len(report.findings) > _MOST:
        to.write(f"\n… and {len(report.findings) - _MOST} more.\n")
    to.write("\n<details><summary>Why, and what to do</summary>\n")
    for rule in report.rules:
        if any(finding.rule.id == rule.id for finding in report.findings[:_MOST]):
            references = ", ".join(linked(reference) for reference in rule.references)
            to.write(f"\n**{rule.id} {rule.name}**: {rule.why}\n\n{rule.fix} ({references})\n")
            to.write(f"\n```python\n{rule.good}```\n")
    to.write("\n</details>\n")


def _row(finding: Finding) -> str:
    place = finding.location
    where = f"`{_code(shown(place.path))}:{place.line}`"
    cells = (f"{finding.rule.id} {finding.rule.name}", where, _escaped(finding.message), finding.certainty.value)
    return f"| {finding.rule.severity.value} | {' | '.join(cells)} |\n"


def _code(text: str) -> str:
    return text.replace("`", "'").replace("|", "\\|")


def _escaped(text: str) -> str:
    """Text that is no markup: nobody is mentioned by it, and it stays in its cell."""
    escaped = re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", " ".join(text.split()))
    return escaped.replace("@", "@<!-- -->")
