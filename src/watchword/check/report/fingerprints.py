"""What tells a finding from others, wherever its line has moved to."""

import hashlib
from collections import Counter
from collections.abc import Iterable

from watchword.check.model import Finding
from watchword.check.report.frames import masked
from watchword.check.report.places import shown
from watchword.check.sources import Sources


def fingerprints(findings: Iterable[Finding], sources: Sources) -> list[str]:
    """One for each finding: of its rule, file, subject and line, and which of several alike it is.

    Strings in the line do not count: a fingerprint is published, and a short secret could be guessed from it.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in findings:
        key = (finding.rule.id, shown(finding.location.path), finding.subject, _line(finding, sources))
        found.append(hashlib.sha256("\0".join([*key, str(seen[key])]).encode()).hexdigest()[:32])
        seen[key] += 1
    return found


def _line(finding: Finding, sources: Sources) -> str:
    source = sources.file(finding.location.path) if finding.location.path.suffix == ".py" else None
    if source is None:
        return ""
    lines = masked(source)
    number = finding.location.line
    return lines[number - 1].strip() if number <= len(lines) else ""
