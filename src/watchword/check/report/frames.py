"""The lines around a finding, with nothing in them that a log should not hold."""

import io
import tokenize
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from watchword.check.model import Finding
from watchword.check.source import Source
from watchword.check.sources import Sources

ABOUT_SECRETS: Final = frozenset({"WW208", "WW209", "WW210"})
"""Rules whose lines have a secret in them: the strings of such lines are never printed."""

_LINES_AROUND: Final = 1
_MOST_LINES: Final = 6
_OPENS: Final = {tokenize.STRING, getattr(tokenize, "FSTRING_START", tokenize.STRING)}


@dataclass(frozen=True, slots=True)
class FrameLine:
    """A line of a frame.

    Attributes:
        number: From 1.
        text: What it says, strings masked where they are secrets.
        is_meant: Whether the finding is about it.
    """

    number: int
    text: str
    is_meant: bool


def frame(finding: Finding, sources: Sources, secret_lines: Container[tuple[Path, int]] = ()) -> tuple[FrameLine, ...]:
    """The lines a finding is about, and one above and below; none where the file is not Python.

    Args:
        finding: What was found.
        sources: The app's files.
        secret_lines: Lines with a secret that something else was found about.
    """
    place = finding.location
    source = sources.file(place.path) if place.path.suffix == ".py" else None
    if source is None:
        return ()
    last = min(place.end_line or place.line, place.line + _MOST_LINES - 1)
    shown = range(max(1, place.line - _LINES_AROUND), min(len(source.lines), last + _LINES_AROUND) + 1)
    has_secret = finding.rule.id in ABOUT_SECRETS or any((place.path, number) in secret_lines for number in shown)
    lines = masked(source) if has_secret else source.lines
    return tuple(FrameLine(number, lines[number - 1], place.line <= number <= last) for number in shown)


def lines_with_secrets(findings: Iterable[Finding]) -> frozenset[tuple[Path, int]]:
    """The lines of findings about secrets."""
    return frozenset(
        (finding.location.path, line)
        for finding in findings
        if finding.rule.id in ABOUT_SECRETS
        for line in range(finding.location.line, (finding.location.end_line or finding.location.line) + 1)
    )


@cache
def masked(source: Source) -> list[str]:
    """The lines of a file, each string in them replaced by one of dots."""
    lines = list(source.lines)
    for start, end in reversed(list(_strings(source.text))):
        before, after = lines[start[0] - 1][: start[1]], lines[end[0] - 1][end[1] :]
        lines[start[0] - 1 : end[0]] = [f'{before}"…"{after}'] + [""] * (end[0] - start[0])
    return lines


def _strings(text: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where strings go; an f-string is one, with what is put into it."""
    depth, start = 0, (0, 0)
    ends = getattr(tokenize, "FSTRING_END", None)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in _OPENS and depth == 0:
            start = token.start
        if token.type == tokenize.STRING and depth == 0:
            yield start, token.end
        elif token.type in _OPENS and token.type != tokenize.STRING:
            depth += 1
        elif ends is not None and token.type == ends:
            depth -= 1
            if depth == 0:
                yield start, token.end
