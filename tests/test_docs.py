"""The Python in the docs runs, page by page, as a reader would paste it."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from watchword import Watchword

DOCS = Path(__file__).parents[1] / "docs"


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]
    assert len(pages) > 10
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_page_on_guards_runs(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    monkeypatch.setenv("WATCHWORD_DATABASE_URL", sqlite_url)
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / "guards.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    names: dict[str, Any] = {"app": FastAPI(), "BaseModel": BaseModel, "Watchword": Watchword}
    for block in blocks:
        exec(compile(block, "guards.md", "exec"), names)  # noqa: S102 — our own page
    assert "ShopUser" in names
