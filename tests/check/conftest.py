"""Apps that are checked: files, imported afresh each time."""

import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from watchword.check.baseline import FILE_NAME, Baseline, read
from watchword.check.checking import Report, check
from watchword.check.load import load
from watchword.check.model import Rule
from watchword.check.probe import probe
from watchword.check.rules import RULES
from watchword.check.subject import Subject

Check = Callable[..., Report]
Package = Callable[..., None]
_BASELINE = f"# {FILE_NAME}\n"
_EXAMPLES = str(Path(__file__).with_name("examples"))


@pytest.fixture
def check_file(tmp_path: Path) -> Iterator[Check]:
    """Check the app in a file; the modules of the example, or the test, are forgotten afterwards."""
    path_before = list(sys.path)

    def checked(path: Path, *rules: Rule) -> Report:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the examples do what is no longer done
            subject = Subject.of(load(str(path)))
            subject.baseline = _baseline_in(path, tmp_path)
            if any(rule.needs_probe for rule in rules):
                subject.probed = probe(subject)
            return check(subject, rules or RULES)

    yield checked
    for name, module in list(sys.modules.items()):
        if (file := getattr(module, "__file__", None)) and file.startswith((str(tmp_path), _EXAMPLES)):
            del sys.modules[name]
    sys.path[:] = path_before


def _baseline_in(path: Path, folder: Path) -> Baseline | None:
    """What an example says in its first comments that the file holds; None if it says nothing."""
    text = path.read_text()
    if not text.startswith(_BASELINE):
        return None
    comments = takewhile(lambda line: line.startswith("# "), text.removeprefix(_BASELINE).splitlines())
    kept = folder / FILE_NAME
    kept.write_text("\n".join(line.removeprefix("# ") for line in comments))
    return read(kept)


@pytest.fixture
def check_text(tmp_path: Path, check_file: Check) -> Check:
    """Check the app in a text."""

    def checked(text: str, *rules: Rule) -> Report:
        path = tmp_path / "main.py"
        path.write_text(text)
        return check_file(path, *rules)

    return checked


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Write a package that can be imported: its name, and the text of each module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def written(name: str, **modules: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (folder / f"{module}.py").write_text(text)

    return written
