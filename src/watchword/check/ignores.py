"""`# watchword: ignore[WW101] reason`: findings that somebody has looked at and answers for."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from watchword.check.model import Finding
from watchword.check.source import Source
from watchword.check.sources import Sources

_COMMENT: Final = re.compile(r"#\s*watchword:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?[\s:–-]*(?P<reason>[^#]*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One comment.

    Attributes:
        rules: The ids it names.
        reason: Why; without one it holds for nothing.
        lines: Which lines it speaks of: its own, or the one below if it stands alone; of a decorator's, the function's.
        comment_line: Where it stands.
    """

    rules: frozenset[str]
    reason: str
    lines: frozenset[int]
    comment_line: int

    def answers_for(self, finding: Finding) -> bool:
        """Whether a finding is left out because of it: it is about the first or the last line of what it speaks of."""
        place = finding.location
        is_there = place.line in self.lines or place.end_line in self.lines
        return is_there and finding.rule.id in self.rules and bool(self.reason)


@dataclass(eq=False)
class Ignores:
    """The comments of an app's files."""

    sources: Sources
    _by_path: dict[Path, tuple[Ignore, ...]] = field(default_factory=dict, repr=False)

    def sort_out(self, findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[tuple[Finding, str], ...]]:
        """Those that stay, and those that a comment answers for, with its reason."""
        stay: list[Finding] = []
        ignored: list[tuple[Finding, str]] = []
        for finding in findings:
            comment = next((c for c in self.of(finding.location.path) if c.answers_for(finding)), None)
            if comment is None:
                stay.append(finding)
            else:
                ignored.append((finding, comment.reason))
        return tuple(stay), tuple(ignored)

    def all(self) -> Iterator[tuple[Path, Ignore]]:
        """Those of the app's own files."""
        for source in self.sources.own:
            for ignore in self.of(source.path):
                yield source.path, ignore

    def of(self, path: Path) -> tuple[Ignore, ...]:
        """The comments in a file."""
        if path not in self._by_path:
            source = self.sources.file(path) if path.suffix == ".py" else None
            self._by_path[path] = () if source is None else tuple(_read(source))
        return self._by_path[path]


def _read(source: Source) -> Iterator[Ignore]:
    if "watchword:" not in source.text:
        return
    decorated = _decorated(source)
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and (match := _COMMENT.search(token.string)) is not None:
            line = _spoken_of(source, *token.start)
            rules = frozenset(name.strip().upper() for name in (match["rules"] or "").split(",") if name.strip())
            lines = frozenset({line, decorated.get(line, line)})
            yield Ignore(rules, match["reason"].strip(), lines, token.start[0])


def _spoken_of(source: Source, line: int, column: int) -> int:
    """A comment's own line; where it stands alone, the next one that is no comment."""
    if source.lines[line - 1][:column].strip():
        return line
    below = range(line, len(source.lines))
    return next((n + 1 for n in below if (text := source.lines[n].strip()) and not text.startswith("#")), line)


def _decorated(source: Source) -> dict[int, int]:
    """From the lines of decorators to that of the function or class."""
    return {
        line: node.lineno
        for node in source.nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for decorator in node.decorator_list
        for line in range(decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1)
    }
