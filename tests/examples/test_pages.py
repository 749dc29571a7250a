"""Every snippet of these pages is part of a file that tests run, word for word."""

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNIPPET = re.compile(
    r'^```(?:python|console)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```', re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("page", ["host-tables.md", "testing.md", "clients.md"])
def test_snippets_are_from_files_that_tests_run(page: str) -> None:
    snippets = list(SNIPPET.finditer((ROOT / "docs" / page).read_text()))
    assert snippets
    for snippet in snippets:
        assert snippet["file"], f"no title: {snippet['text']}"
        source = (ROOT / snippet["file"]).read_text()
        shown = {textwrap.indent(snippet["text"], " " * indent) for indent in (0, 4)}
        assert any(text in source for text in shown), f"not in {snippet['file']}:\n{snippet['text']}"
