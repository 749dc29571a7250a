"""What was measured: on the screen, in `bench/results`, and as tables and a plot in `docs/benchmarks.md`."""

import json
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.beside import MOST_SPREAD
from bench.server import CORES

Rows = list[dict[str, Any]]

_ROOT: Final = Path(__file__).parents[1]
_RESULTS: Final = _ROOT / "bench" / "results"
_PAGE: Final = _ROOT / "docs" / "benchmarks.md"
_PLOT: Final = _ROOT / "docs" / "benchmarks.svg"


@dataclass(frozen=True, slots=True)
class Goal:
    """What should be reached.

    Attributes:
        what: In words.
        value: At least, or at most.
        is_most: Whether less is better.
        measurement: Where it is measured.
        figure: What was reached, from the rows of the measurement.
    """

    what: str
    value: float
    measurement: str
    figure: Callable[[Rows], float]
    is_most: bool = False

    def verdict(self) -> tuple[str, str, str, str]:
        """What, the goal, the figure, and whether it was reached."""
        goal = f"{'≤' if self.is_most else '≥'} {self.value:g}"
        rows = kept(self.measurement)
        if rows is None:
            return self.what, goal, "not measured", ""
        figure = self.figure(rows)
        reached = figure <= self.value if self.is_most else figure >= self.value
        unsteady = any(row.get("spread", 0) > MOST_SPREAD for row in rows if row.get("app", "").startswith("Watchword"))
        return self.what, goal, f"{figure:.3g}", ("yes" if reached else "no") + (", unsteady" if unsteady else "")


def _of(rows: Rows, label: str, column: str) -> float:
    return next(float(row[column]) for row in rows if row["app"].startswith(label))


def _growth(rows: Rows) -> float:
    alone = {row["users"]: row["x bare"] for row in rows if row["workers"] == 1}
    return float(alone[1_000_000] / alone[10_000])


_OURS: Final = "Watchword, CurrentUser"
GOALS: Final = (
    Goal("guard with `CurrentUser`, × bare endpoint", 0.88, "guard", lambda rows: _of(rows, _OURS, "x bare")),
    Goal(
        "guard with `CurrentUser`, × bare endpoint behind a dependency that does nothing",
        0.97,
        "guard",
        lambda rows: _of(rows, _OURS, "x the same behind nothing"),
    ),
    Goal(
        "guard as `dependencies=[…]` on a router, × bare endpoint",
        0.90,
        "guard",
        lambda rows: _of(rows, "Watchword, requires(…) on a router", "x bare"),
    ),
    Goal(
        "p99 of a protected GET under the login flood, × idle",
        2,
        "isolation",
        lambda rows: _of(rows, "Watchword, OWASP", "x idle p99"),
        is_most=True,
    ),
    Goal(
        "the same p99, × that of fastapi-users, each with its default hash",
        1 / 200,
        "isolation",
        lambda rows: _of(rows, "Watchword, OWASP", "flood p99 ms") / _of(rows, "fastapi-users", "flood p99 ms"),
        is_most=True,
    ),
    Goal(
        "the same p99, × that of fastapi-users, with the same hash (RFC 9106's)",
        1 / 200,
        "isolation",
        lambda rows: _of(rows, "Watchword, RFC 9106", "flood p99 ms") / _of(rows, "fastapi-users", "flood p99 ms"),
        is_most=True,
    ),
    Goal("logins/s, × the same hash alone", 0.95, "login", lambda rows: _of(rows, "Watchword, OWASP", "x hash alone")),
    Goal(
        "refresh on SQLite, durable, × bare endpoint",
        0.20,
        "refresh",
        lambda rows: _of(rows, "Watchword, SQLite, durable", "x bare"),
    ),
    Goal(
        "refresh on PostgreSQL, × a bare endpoint with one raw asyncpg `UPDATE … RETURNING`",
        0.70,
        "refresh",
        lambda rows: _of(rows, "Watchword, PostgreSQL", "x raw asyncpg UPDATE"),
    ),
    Goal(
        "client_credentials (ES256), × bare endpoint",
        0.40,
        "service",
        lambda rows: _of(rows, "Watchword, client_secret_basic", "x bare"),
    ),
    Goal(
        "time to first answer, × the bare app's",
        1.6,
        "start",
        lambda rows: _of(rows, "Watchword, production", "x bare"),
        is_most=True,
    ),
    Goal("refresh at a million sessions, × at ten thousand", 0.9, "growth", _growth),
)


def describe_conditions() -> dict[str, Any]:
    """What somebody needs to know to run it again, and to judge the figures."""
    return {
        "reproduce": " ".join(["python -m bench", *sys.argv[1:]]),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores; server on {CORES[0]}, clients on {CORES[1]}",
        "software": f"Python {platform.python_version()}, FastAPI {version('fastapi')}, one worker a server",
        "load average": f"{os.getloadavg()[0]:.2f} at the end" if hasattr(os, "getloadavg") else "unknown",
    }


def keep(name: str, rows: Rows) -> None:
    """Write a measurement to `bench/results`."""
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / f"{name}.json").write_text(json.dumps({**describe_conditions(), "rows": rows}, indent=2) + "\n")


def kept(name: str) -> Rows | None:
    """A measurement that was written; None if there is none."""
    path = _RESULTS / f"{name}.json"
    rows: Rows | None = json.loads(path.read_text())["rows"] if path.exists() else None
    return rows


def show(name: str, rows: Rows) -> None:
    """Print a measurement."""
    table = Table(*_columns(rows), title=f"python -m bench {name}", title_justify="left")
    for row in rows:
        table.add_row(*(cell(column, row.get(column)) for column in _columns(rows)))
    console = Console()
    console.print(table)
    for condition, value in describe_conditions().items():
        console.print(f"{condition}: {value}", style="dim", highlight=False)


def show_targets() -> None:
    """Print what should be reached, and what was."""
    table = Table("what", "goal", "measured", "reached", title="What it should reach", title_justify="left")
    for goal in GOALS:
        table.add_row(*goal.verdict())
    Console().print(table)


def cell(column: str, value: object) -> str:
    """A cell; a ratio has more digits than a time."""
    if value is None:
        return ""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if column == "spread":
        return f"{value:.0%}"
    if column.startswith("x "):
        return f"{value:.3g}" if value < 10 else f"{value:.0f}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_page() -> None:
    """Write the tables and the plot of `docs/benchmarks.md` anew; the words around them are left alone."""
    text = _PAGE.read_text()
    text = _between(text, "goals", _markdown(("what", "goal", "measured", "reached"), [g.verdict() for g in GOALS]))
    for name in re.findall(r"<!-- table (\w+) -->", text):
        rows = kept(name)
        if rows is not None and name != "goals":
            columns = _columns(rows)
            cells = [[cell(column, row.get(column)) for column in columns] for row in rows]
            text = _between(text, name, _markdown(columns, cells))
    _PAGE.write_text(text)
    rows = kept("guard")
    if rows is not None:
        _PLOT.write_text(plot("A protected GET, × a bare endpoint", [(row["app"], row["x bare"]) for row in rows]))


def _columns(rows: Rows) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| x ", "| × ")


def _between(text: str, name: str, content: str) -> str:
    start, end = f"<!-- table {name} -->", "<!-- end -->"
    before, found, rest = text.partition(start)
    if not found:
        return text
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{content}\n{end}{after}"


def plot(title: str, bars: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars from 0 to 1, as SVG."""
    height, left, width = 26, 330, 400
    box = f"0 0 {left + width + 70} {height * len(bars) + 50}"
    font = 'font-family="system-ui, sans-serif" font-size="13"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {font} role="img">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="24" font-weight="600">{escape(title)}</text>',
    ]
    for number, (label, value) in enumerate(bars):
        y = 40 + number * height
        colour = "#1d6f5f" if label.startswith("Watchword") else "#9aa5b1"
        lines += [
            f'<text x="{left - 8}" y="{y + 16}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{left}" y="{y + 3}" width="{value * width:.0f}" height="{height - 8}" fill="{colour}"/>',
            f'<text x="{left + value * width + 6:.0f}" y="{y + 16}">{value:.2f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
