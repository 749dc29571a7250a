"""Text for people: findings by file, the lines they are about, and what to do."""

from itertools import groupby
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from watchword.check.checking import Report
from watchword.check.model import Finding, Severity
from watchword.check.report.frames import frame, lines_with_secrets
from watchword.check.report.json import counts
from watchword.check.report.places import shown
from watchword.check.sources import Sources

STYLES: Final = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def write(report: Report, to: TextIO) -> None:
    """Everything that was found, and a line that counts it."""
    console = console_on(to)
    secret_lines = lines_with_secrets(report.all_findings())
    for path, findings in groupby(report.findings, key=lambda finding: finding.location.path):
        console.print(Text(shown(path), style="bold underline"))
        for finding in findings:
            console.print()
            _print(console, finding, report.subject.sources, secret_lines)
        console.print()
    console.print(Text(summary(report), style="bold"))


def console_on(to: TextIO) -> Console:
    """As wide as the terminal; in a pipe or a file without colours, and nothing folds."""
    return Console(file=to, width=None if to.isatty() else 1000, highlight=False, soft_wrap=not to.isatty())


def summary(report: Report) -> str:
    """How much was found, in how much that was looked at."""
    found = [_many(count, kind.value) for kind, count in counts(report).items() if count]
    what = f"{', '.join(found)}." if found else "Nothing found."
    files = _many(len(report.subject.sources.own), "file")
    looked = (
        f"Looked at {_many(len(report.subject.routes), 'route')} and {files} with {_many(len(report.rules), 'rule')}"
    )
    ignored = f"; {len(report.ignored)} ignored by comments" if report.ignored else ""
    unsure = f"; {_many(len(report.unsure), 'less sure one')} not shown" if report.unsure else ""
    return f"{what} {looked}{ignored}{unsure}."


def _print(console: Console, finding: Finding, sources: Sources, secret_lines: frozenset[tuple[Path, int]]) -> None:
    rule, place = finding.rule, finding.location
    console.print(
        Text.assemble(
            f"  {shown(place.path)}:{place.line}:{place.column} ",
            (rule.severity.value, STYLES[rule.severity]),
            (f" {rule.id} {rule.name}", "bold"),
            (f" ({finding.certainty.value})", "dim"),
        )
    )
    console.print(Padding(Text(finding.message), (0, 0, 0, 2), expand=False))
    lines = frame(finding, sources, secret_lines)
    width = len(str(lines[-1].number)) if lines else 0
    for line in lines:
        mark = ("❱", STYLES[rule.severity]) if line.is_meant else (" ", "")
        console.print(
            Text.assemble("  ", mark, f" {line.number:>{width}} │ ", (line.text, "" if line.is_meant else "dim")),
            no_wrap=console.is_terminal,
            overflow="ellipsis",
        )
    console.print(Padding(Text.assemble(("Fix: ", "green"), rule.fix), (0, 0, 0, 2), expand=False))


def _many(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"
