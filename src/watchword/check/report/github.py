"""Workflow commands: GitHub shows them at the lines of a pull request."""

from typing import Final, TextIO

from watchword.check.checking import Report
from watchword.check.model import Severity
from watchword.check.report.places import in_repository, shown
from watchword.check.report.text import summary

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def write(report: Report, to: TextIO) -> None:
    """A line for each finding, and one that counts them for whoever reads the log."""
    for finding in report.findings:
        rule, place = finding.rule, finding.location
        properties = {
            "file": in_repository(place.path) or shown(place.path),
            "line": place.line,
            "col": place.column,
            "title": f"{rule.id} {rule.name}",
        }
        described = ",".join(f"{name}={_in_property(str(value))}" for name, value in properties.items())
        message = f"{finding.message} ({finding.certainty.value}). {rule.fix}"
        to.write(f"::{_COMMANDS[rule.severity]} {described}::{_in_message(message)}\n")
    to.write(f"{summary(report)}\n")


def _in_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _in_property(text: str) -> str:
    return _in_message(text).replace(":", "%3A").replace(",", "%2C")
