"""WW100: a comment that should ignore a finding, and ignores nothing."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from watchword.check.ignores import Ignore, Ignores
from watchword.check.model import Certainty, Finding, Found, Location, Rule, Severity
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each that says too little: what it ignores, or why."""
    from watchword.check.rules import RULES  # this rule is one of them

    known = {rule.id for rule in RULES}
    for path, ignore in Ignores(subject.sources).all():
        unknown = sorted(ignore.rules - known)
        if not ignore.rules:
            yield _found(path, ignore, "a comment names no rule to ignore: write ignore[WW101] and the reason")
        elif unknown:
            is_or_are = "is no rule" if len(unknown) == 1 else "are no rules"
            yield _found(path, ignore, f"a comment ignores {' and '.join(unknown)}, which {is_or_are}")
        elif not ignore.reason:
            yield _found(path, ignore, f"a comment ignores {' and '.join(sorted(ignore.rules))} and does not say why")


def find_unused(subject: Subject, findings: Iterable[Finding], rules: Iterable[Rule]) -> Iterator[Finding]:
    """Comments that would ignore what was not found, as far as it was looked for."""
    findings = tuple(findings)
    is_probed = subject.probed is not None
    checked = {rule.id for rule in rules if is_probed or not rule.needs_probe} - {RULE.id}
    for path, ignore in Ignores(subject.sources).all():
        answered = {f.rule.id for f in findings if f.location.path == path and ignore.answers_for(f)}
        for name in sorted(ignore.rules & checked - answered) if ignore.reason else ():
            found = _found(path, ignore, f"a comment ignores {name}, which finds nothing there", subject=name)
            yield Finding(RULE, found.location, found.message, found.certainty, found.subject)


def _found(path: Path, ignore: Ignore, message: str, subject: str = "") -> Found:
    return Found(Location(path, ignore.comment_line), message, Certainty.CERTAIN, subject)


RULE = Rule(
    id="WW100",
    name="ignore-comment",
    severity=Severity.WARNING,
    summary="A comment that should ignore a finding, and ignores nothing",
    why=(
        "Without its reason nobody can tell later whether a finding was looked at or waved away, so such a comment "
        "holds for nothing. One that is left behind would hide the next finding of its line."
    ),
    fix="Write the rule and the reason, `# watchword: ignore[WW203] why it is all right here`, or remove the comment.",
    bad="""\
import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str, key: str):
    return jwt.decode(token, key)  # watchword: ignore[WW203]
""",
    good="""\
import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str, key: str):
    return jwt.decode(token, key)  # watchword: ignore[WW203] PyJWT refuses this, as our test shows
""",
    references=("CWE-1116",),
    check=check,
)
