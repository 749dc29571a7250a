"""What `watchword check` and `watchword rules` do."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from watchword.check.errors import CheckError
from watchword.check.model import Certainty, Severity

if TYPE_CHECKING:
    from watchword.check.checking import Report
    from watchword.check.model import Rule
    from watchword.check.subject import Subject

_WORST_FIRST: Final = tuple(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asked for.

    Attributes:
        target: The app.
        is_factory: What is named returns it.
        shows_routes: Its routes are told, and no rule is applied.
        baseline: The file that says who might use which route; None: the usual one, if it is there.
        writes_baseline: That file is written, and no rule is applied.
        probes: The app is asked, too.
        select: Rules to apply.
        ignore: Rules to leave out.
        least_certainty: What is less sure is not told.
        fail_on: The severity from which on the status is 1; None: never.
        report_format: How it is told.
        output: The file it is written to; standard output, if it is None.
    """

    target: str
    is_factory: bool
    shows_routes: bool
    baseline: Path | None
    writes_baseline: bool
    probes: bool
    select: Sequence[str]
    ignore: Sequence[str]
    least_certainty: Certainty
    fail_on: Severity | None
    report_format: str
    output: Path | None


def run_check(wanted: Wanted) -> int:
    """Look at an app, tell what was asked for, and return the exit status.

    Raises:
        CheckError: It cannot be looked at, or was asked for what there is not.
    """
    with _standard_output_alone() as ours:
        from watchword.check.checking import check
        from watchword.check.load import load
        from watchword.check.selection import select_rules
        from watchword.check.sources import collector_paused
        from watchword.check.subject import Subject

        rules = select_rules(wanted.select, wanted.ignore)
        target = load(wanted.target, is_factory=wanted.is_factory)
        with collector_paused():
            subject = Subject.of(target)
            if wanted.writes_baseline:
                ours.write(_write_baseline(subject, wanted.baseline))
                return 0
            if wanted.shows_routes:
                with _destination(wanted, ours) as to:
                    _routes_writer(wanted.report_format)(subject, to)
                return 0
            _complete(subject, wanted)
            report = check(subject, rules).at_least(wanted.least_certainty)
            with _destination(wanted, ours) as to:
                _writer(wanted.report_format)(report, to)
        for crash in report.crashes:
            sys.stderr.write(f"{crash}\n")
    return 1 if _is_bad(report, wanted.fail_on) else 2 if report.crashes else 0


@contextmanager
def _standard_output_alone() -> Iterator[TextIO]:
    """Standard output, for the report alone.

    What else is printed from now on, by the app and whatever it starts, goes to standard error.
    """
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace") as ours:
        os.dup2(2, 1)
        try:
            yield ours
        finally:
            sys.stdout.flush()  # what the app said comes before what is said of it


@contextmanager
def _destination(wanted: Wanted, ours: TextIO) -> Iterator[TextIO]:
    if wanted.output is None:
        yield ours
        return
    try:
        with wanted.output.open("w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise CheckError(f"{wanted.output} cannot be written: {error.strerror}") from None


def _complete(subject: "Subject", wanted: Wanted) -> None:
    """Add what else there is to look at: the baseline, and what the app answers."""
    from watchword.check import baseline
    from watchword.check.probe import probe

    path = wanted.baseline or Path(baseline.FILE_NAME)
    if wanted.baseline is not None or path.exists():
        subject.baseline = baseline.read(path)
    if wanted.probes:
        subject.probed = probe(subject)


def _write_baseline(subject: "Subject", path: Path | None) -> str:
    """Write it, and say what became of it."""
    from watchword.check.baseline import FILE_NAME, Baseline, read

    path = path or Path(FILE_NAME)
    now = Baseline.of(subject)
    gone = read(path).gone_from(now) if path.exists() else []
    try:
        path.write_text(now.toml(), encoding="utf-8")
    except OSError as error:
        raise CheckError(f"{path} cannot be written: {error.strerror}") from None
    public = sum(access == "public" for access in now.routes.values())
    text = f"Wrote {path}: {len(now.routes)} routes, {public} of them public.\n"
    return text + (f"No longer there: {', '.join(gone)}.\n" if gone else "")


def _writer(report_format: str) -> "Callable[[Report, TextIO], None]":
    from watchword.check.report import github, json, markdown, sarif, text

    return {
        "text": text.write,
        "json": json.write,
        "sarif": sarif.write,
        "markdown": markdown.write,
        "github": github.write,
    }[report_format]


def _routes_writer(report_format: str) -> "Callable[[Subject, TextIO], None]":
    from watchword.check.report import route_table

    writers = {"text": route_table.write_text, "json": route_table.write_json}
    if report_format not in writers:
        raise CheckError(f"--routes goes with --format text or json, not {report_format}")
    return writers[report_format]


def _is_bad(report: "Report", fail_on: Severity | None) -> bool:
    bad = () if fail_on is None else _WORST_FIRST[: _WORST_FIRST.index(fail_on) + 1]
    return any(found.rule.severity in bad for found in report.findings)


def print_rule(rule: "Rule", to: TextIO) -> None:
    """All of a rule."""
    from rich.syntax import Syntax
    from rich.text import Text

    from watchword.check.report.text import STYLES, console_on

    console = console_on(to)
    console.print(Text.assemble((f"{rule.id} {rule.name}", "bold"), " ", (rule.severity.value, STYLES[rule.severity])))
    console.print(Text(f"{rule.summary}.\n\n{rule.why}\n\nFix: {rule.fix}\n"))
    for title, code in (("Bad", rule.bad), ("Good", rule.good)):
        console.print(Text(f"{title}:\n", style="bold"))
        console.print(Syntax(code, "python", background_color="default") if to.isatty() else Text(code))
    console.print(Text(f"References: {', '.join(rule.references)}"))
