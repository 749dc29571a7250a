"""The pages on security name tests that there are, and leave nothing out that they answer for."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = ROOT / "docs" / "security"
ASVS = re.findall(
    r"\S+",
    """
    6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12 6.3.1 6.3.2 6.3.3
    6.3.4 6.3.7 6.3.8 6.4.1 6.4.2 6.4.3 6.4.4 6.4.6 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.5.6 6.5.8 6.8.4 7.1.1 7.1.2
    7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1 7.5.2 7.5.3 7.6.2 9.1.1 9.1.2 9.1.3
    9.2.1 9.2.2 9.2.3 10.1.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 10.4.6 10.4.8 10.4.9
    10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.6.1 10.7.1 10.7.2 10.7.3 11.2.3 11.2.4 11.2.5 11.3.2 11.3.3
    11.4.2 11.5.1 12.2.1 12.3.1 16.2.1 16.2.2 16.2.4 16.2.5 16.3.1 16.3.2 16.4.1 16.5.1 16.5.2 16.5.3 16.5.4 4.1.3
    8.3.2 13.4.5 15.3.3 15.3.7 15.4.2
    """,
)


def rows(page: str) -> list[list[str]]:
    """The cells of its tables."""
    lines = (SECURITY / page).read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if row[0] not in {"id", "row", "---"}]


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("page", ["asvs.md", "attacks.md"])
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`", (SECURITY / page).read_text("utf-8"))
    assert len(named) > 20
    for path, name in named:
        assert (ROOT / path).exists(), path
        assert not name or name in functions(ROOT / path), f"{path}::{name}"


def test_every_requirement_has_a_test_or_a_page() -> None:
    answered = {id_: row[-1] for row in rows("asvs.md") for id_ in row[0].split(", ")}
    assert set(ASVS) <= answered.keys()
    for id_, shown in answered.items():
        assert "::" in shown or "](" in shown, id_


def test_every_attack_has_an_answer() -> None:
    told = " ".join(row[0] for row in rows("attacks.md"))
    numbers = {int(number) for number in re.findall(r"(?<![F\d])\d+", told)}
    for first, last in re.findall(r"(\d+)–(\d+)", told):
        numbers |= set(range(int(first), int(last)))
    assert numbers >= set(range(1, 41))
    assert {f"F{number}" for number in range(1, 9)} <= set(re.findall(r"F\d", told))
