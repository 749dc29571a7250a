"""`python -m bench …`: one measurement, or all of them and what they should reach."""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench import report
from bench.beside import Pace
from bench.check import measure_check
from bench.enumeration import measure_enumeration
from bench.growth import measure_growth
from bench.guard import measure_guard
from bench.isolation import measure_isolation
from bench.login import measure_login
from bench.memory import measure_memory
from bench.refresh import measure_refresh
from bench.revocation import measure_revocation
from bench.service import measure_service
from bench.start import measure_start

Rows = list[dict[str, Any]]

_SIZES: Final = (10_000, 100_000, 1_000_000)
_MEASUREMENTS: Final[Mapping[str, tuple[str, Callable[[argparse.Namespace], Rows]]]] = {
    "guard": ("a protected GET, beside what a user would pick instead", lambda o: asyncio.run(measure_guard(_pace(o)))),
    "isolation": (
        "a guarded GET, idle and while 16 clients log in",
        lambda o: asyncio.run(measure_isolation(o.phase)),
    ),
    "login": ("logins, beside the password hash alone", lambda o: asyncio.run(measure_login(_pace(o)))),
    "refresh": ("refreshes on SQLite and PostgreSQL", lambda o: asyncio.run(measure_refresh(_pace(o)))),
    "service": ("tokens for services, client_credentials", lambda o: asyncio.run(measure_service(_pace(o)))),
    "start": ("the time to the first answer", lambda o: asyncio.run(measure_start(o.repeats))),
    "memory": ("what a worker holds", lambda _: asyncio.run(measure_memory())),
    "growth": (
        "up to a million users and sessions on PostgreSQL",
        lambda o: asyncio.run(measure_growth(tuple(size for size in _SIZES if size <= o.users), _pace(o))),
    ),
    "enumeration": (
        "whether the time of an answer tells if there is an account",
        lambda o: asyncio.run(measure_enumeration(o.tries)),
    ),
    "check": ("`watchword check` on 500 routes, beyond their import", lambda o: measure_check(o.repeats)),
    "revocation": (
        "how long another process still takes a revoked token",
        lambda o: measure_revocation(o.tries),
    ),
}
_IN_ALL: Final = ("guard", "isolation", "login", "refresh", "service", "start", "memory", "growth")


def main() -> None:
    """Measure, print, and keep what is meant to be kept."""
    options = parse_options()
    if options.measurement == "report":
        report.write_page()
    elif options.measurement == "all":
        for name in _IN_ALL:
            rows = _MEASUREMENTS[name][1](options)
            report.keep(name, rows)
            report.show(name, rows)
        report.write_page()
        report.show_targets()
    else:
        rows = _MEASUREMENTS[options.measurement][1](options)
        if options.keep:
            report.keep(options.measurement, rows)
        if options.json:
            print(json.dumps({**report.describe_conditions(), "rows": rows}, indent=2))
        else:
            report.show(options.measurement, rows)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, on this machine, over loopback.")
    measurements = parser.add_subparsers(dest="measurement", required=True)
    measurements.add_parser("report", help="write docs/benchmarks.md anew from what was kept")
    every = measurements.add_parser("all", help=", ".join(_IN_ALL) + "; kept in bench/results and docs/benchmarks.md")
    _add_options(every)
    for name, (what, _) in _MEASUREMENTS.items():
        measurement = measurements.add_parser(name, help=what)
        _add_options(measurement)
        measurement.add_argument("--json", action="store_true", help="print JSON")
        measurement.add_argument("--keep", action="store_true", help="keep it in bench/results")
    return parser.parse_args()


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repeats", type=within(3, 100), default=3, metavar="N", help="of each; default 3")
    parser.add_argument("--seconds", type=within(1, 600), default=2, metavar="N", help="of each repeat; default 2")
    parser.add_argument("--phase", type=within(4, 3600), default=8, metavar="N", help="s, of isolation; default 8")
    parser.add_argument("--tries", type=within(20, 100_000), default=500, metavar="N", help="of each kind; default 500")
    parser.add_argument(
        "--users", type=within(10_000, 1_000_000), default=1_000_000, metavar="N", help="of growth; default a million"
    )


def _pace(options: argparse.Namespace) -> Pace:
    return Pace(options.repeats, options.seconds)


def within(least: int, most: int) -> Callable[[str], int]:
    """A whole number between two bounds, as the type of an argument."""

    def whole_number(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"must be between {least} and {most}")
        return number

    return whole_number


if __name__ == "__main__":
    main()
