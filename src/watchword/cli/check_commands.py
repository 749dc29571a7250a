"""`watchword check` and `watchword rules`."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from watchword.check.errors import CheckError
from watchword.check.model import Certainty, Severity
from watchword.cli import output


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    MARKDOWN = "markdown"
    GITHUB = "github"


class FailOn(StrEnum):
    """From which severity on the status is 1."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    NEVER = "never"


def check(
    target: Annotated[str, typer.Argument(metavar="APP", help="module:variable, file.py:variable, or a folder.")],
    factory: Annotated[
        bool, typer.Option("--factory", help="What is named is a function that returns the app.")
    ] = False,
    routes: Annotated[bool, typer.Option("--routes", help="Show who may use which route, and apply no rule.")] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Who might use which route; without it, watchword-routes.toml if it is there."
        ),
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write that file as the routes are now, and apply no rule.")
    ] = False,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Ask the app too, in process: its lifespan runs, and what it answers is read."),
    ] = False,
    report_format: Annotated[
        Format, typer.Option("--format", metavar="NAME", help="text, json, sarif, markdown or github.")
    ] = Format.TEXT,
    output_file: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Write there, not to standard output.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(metavar="SEVERITY", help="Status 1 from this on: error, warning, note or never.")
    ] = FailOn.WARNING,
    min_certainty: Annotated[
        Certainty, typer.Option(metavar="NAME", help="Leave out what is less sure: certain, likely or possible.")
    ] = Certainty.POSSIBLE,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULES", help="Apply these alone: ids or beginnings, such as WW2; may come more than once."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="Leave these out; may come more than once.")
    ] = None,
) -> None:
    """Find what is wrong with the login of any FastAPI app. It is imported and read, never served."""
    from watchword.cli.checks import Wanted, run_check

    wanted = Wanted(
        target=target,
        is_factory=factory,
        shows_routes=routes,
        baseline=baseline,
        writes_baseline=write_baseline,
        probes=probe,
        select=select or (),
        ignore=ignore or (),
        least_certainty=min_certainty,
        fail_on=None if fail_on is FailOn.NEVER else Severity(fail_on.value),
        report_format=report_format.value,
        output=output_file,
    )
    try:
        status = run_check(wanted)
    except CheckError as error:
        output.tell(f"watchword: {error}")
        status = 2
    raise typer.Exit(status)


def rules(
    rule: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="One of them; without it, a table of all.")
    ] = None,
    rules_format: Annotated[Format, typer.Option("--format", metavar="NAME", help="text or json.")] = Format.TEXT,
) -> None:
    """Tell what `watchword check` looks for: why, how it is mended, and code that has it and has not."""
    from watchword.check.report.json import rule_dict
    from watchword.check.rules import RULES
    from watchword.check.selection import rule_named
    from watchword.cli.checks import print_rule

    if rules_format not in {Format.TEXT, Format.JSON}:
        raise typer.BadParameter("rules are told as text or json", param_hint="--format")
    try:
        one = None if rule is None else rule_named(rule)
    except CheckError as error:
        output.tell(f"watchword: {error}")
        raise typer.Exit(2) from None
    if rules_format is Format.JSON:
        output.print_json([rule_dict(each) for each in RULES] if one is None else rule_dict(one))
    elif one is None:
        rows = [(each.id, each.severity.value, each.name, each.summary) for each in RULES]
        output.print_table(f"{len(rows)} rules", ("Rule", "Severity", "Name", "What is wrong"), rows)
    else:
        print_rule(one, sys.stdout)
