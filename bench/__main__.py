"""`python -m bench guard`, `isolation`, `timing` and `revocation`."""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.guard import measure_guard
from bench.isolation import measure_isolation
from bench.revocation import measure_revocation
from bench.server import CORES
from bench.timing import measure_timing


def main() -> None:
    """Run one measurement and print it."""
    options = parse_options()
    if options.measurement == "timing":
        rows = asyncio.run(measure_timing(options.tries))
    elif options.measurement == "isolation":
        rows = asyncio.run(measure_isolation(options.seconds))
    elif options.measurement == "revocation":
        rows = measure_revocation(options.tries)
    else:
        rows = asyncio.run(measure_guard(repeats=options.repeats, seconds=options.seconds))
    conditions = describe_conditions()
    if options.json:
        print(json.dumps({**conditions, "rows": rows}, indent=2))
        return
    table = Table(*rows[0], title=f"python -m bench {options.measurement}", title_justify="left")
    for row in rows:
        table.add_row(*(shown(name, value) for name, value in row.items()))
    console = Console()
    console.print(table)
    for name, value in conditions.items():
        console.print(f"{name}: {value}", style="dim", highlight=False)


def shown(name: str, value: object) -> str:
    """A cell; a ratio has more digits than a time."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if name.startswith("x ") else f"{value:.2f}"


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, on this machine, over loopback.")
    measurements = parser.add_subparsers(dest="measurement", required=True)
    timing = measurements.add_parser("timing", help="how long a refused login takes, by what was wrong")
    timing.add_argument("--tries", type=within(20, 100_000), default=500, metavar="N", help="of each kind; default 500")
    isolation = measurements.add_parser("isolation", help="a guarded GET, idle and while 16 clients log in")
    isolation.add_argument("--seconds", type=within(2, 3600), default=20, metavar="N", help="of each phase; default 20")
    revocation = measurements.add_parser("revocation", help="how long another process still takes a revoked token")
    revocation.add_argument("--tries", type=within(20, 100_000), default=500, metavar="N", help="on each; default 500")
    guard = measurements.add_parser("guard", help="a protected GET, beside what a user would pick instead")
    guard.add_argument("--repeats", type=within(3, 100), default=3, metavar="N", help="of each; default 3")
    guard.add_argument("--seconds", type=within(1, 600), default=3, metavar="N", help="of each repeat; default 3")
    for measurement in (timing, isolation, revocation, guard):
        measurement.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def within(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two bounds, as the type of an argument."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be between {least} and {most}")
        return number

    return whole_number


def describe_conditions() -> dict[str, Any]:
    """What somebody needs to know to run it again, and to judge the figures."""
    return {
        "reproduce": " ".join(["python -m bench", *sys.argv[1:]]),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores; server on {CORES[0]}, clients on {CORES[1]}",
        "software": f"Python {platform.python_version()}, watchword {version('watchword')}, one worker a server",
        "load average": f"{os.getloadavg()[0]:.2f} at the end" if hasattr(os, "getloadavg") else "unknown",
    }


if __name__ == "__main__":
    main()
