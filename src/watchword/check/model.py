"""What a rule is, what it looks at and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchword.check.subject import Subject


class Severity(StrEnum):
    """How bad it is where it is true; the words are SARIF's levels."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Certainty(StrEnum):
    """How sure a finding is: no guess is dressed as a fact."""

    CERTAIN = "certain"
    """It was read in the code or seen in the running app, and nothing elsewhere could undo it."""
    LIKELY = "likely"
    """What it looks like it nearly always is."""
    POSSIBLE = "possible"
    """Nothing against it was found; it may be done where nobody can see it from here, such as in a proxy."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a source file.

    Attributes:
        path: The file.
        line: From 1.
        column: From 1.
        end_line: The last line that is meant, for the frame that is shown.
    """

    path: Path
    line: int = 1
    column: int = 1
    end_line: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule yields.

    Attributes:
        location: Where to look first.
        message: What is wrong here: one sentence that names what it talks about, without a full stop.
        certainty: How sure it is.
        subject: What it is about where that is not the line, such as `POST /orders`; keeps findings of one line apart.
        severity: How bad this one is, where that is not what the rule says.
    """

    location: Location
    message: str
    certainty: Certainty
    subject: str = ""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that goes wrong with logins, and how to see it.

    Attributes:
        id: `WW101`; never given to another rule.
        name: The id in words, as SARIF and the docs show it: `token-url-without-route`.
        severity: How bad it is where it is true.
        summary: What is wrong, in one line without a full stop.
        why: What an attacker or a user makes of it; two or three sentences.
        fix: What to do about it, in a sentence or two.
        bad: The shortest module that has it, as the docs show it; tests run it.
        good: The same module mended: the fix as a snippet; tests run it.
        references: What says so: `RFC 6750 §3`, `OWASP ASVS 6.3.1`, `CWE-307`.
        check: Finds it.
        needs_probe: Whether it reads what the app answered when it was asked, and finds nothing in one that was not.
    """

    id: str
    name: str
    severity: Severity
    summary: str
    why: str
    fix: str
    bad: str
    good: str
    references: tuple[str, ...]
    check: "Callable[[Subject], Iterator[Found]]"
    needs_probe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and by which rule; the rule's severity is this finding's."""

    rule: Rule
    location: Location
    message: str
    certainty: Certainty
    subject: str = ""
