"""`python -m bench timing|isolation`."""

import argparse
import asyncio
import json

from rich.console import Console
from rich.table import Table

from bench.isolation import measure_isolation
from bench.timing import measure_timing


def main() -> None:
    """Run one measurement and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="command", required=True)
    timing = commands.add_parser("timing", help="how long a refused login takes, by reason")
    timing.add_argument("--tries", type=int, default=500)
    isolation = commands.add_parser("isolation", help="a guarded GET, idle and under a flood of logins")
    isolation.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    rows = asyncio.run(
        measure_timing(options.tries) if options.command == "timing" else measure_isolation(options.seconds)
    )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console().print(table)


main()
