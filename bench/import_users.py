"""`python -m bench.import_users --users 1000000`: a generated file through `watchword users import`, on each database.

What is measured is the command as a process: seconds, rows a second, and its resident memory at 10, 50 and 100 per cent
of the file, beside the most it ever had. Memory is flat if the three are alike.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from bench.postgresql import postgresql

_HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$XauVUmotpXROSWntXYsRAg$qQ0XGsFtYmt5ZFgGxf688+HkyBUyWr2X/cr8/GJdV8g"
_POINTS: Final = (10, 50, 100)
_LOOK_SECONDS: Final = 0.05


def main() -> None:
    """Generate, import on SQLite and PostgreSQL, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.import_users", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--format", choices=("csv", "jsonl", "keycloak"), default="csv")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        file = Path(folder, "users.json" if options.format == "keycloak" else f"users.{options.format}")
        generate(file, options.users, options.format)
        for name, database in (("sqlite", sqlite(folder)), ("postgresql", postgresql())):
            with database as url:
                rows += [
                    {"database": name, "run": run, **measure(file, options.format, url, options.users)}
                    for run in ("first", "again")
                ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*rows[0], title=f"{options.users:,} users, {options.format}", title_justify="left")
    for row in rows:
        table.add_row(*(f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=140).print(table)


def generate(file: Path, users: int, file_format: str) -> None:
    """A file of users who all have the one hash."""
    with file.open("w", newline="") as output:
        if file_format == "csv":
            writer = csv.writer(output)
            writer.writerow(("email", "password_hash", "email_verified", "profile.name"))
            writer.writerows((f"user{number}@example.com", _HASH, "true", f"User {number}") for number in range(users))
        elif file_format == "jsonl":
            output.writelines(
                json.dumps({"email": f"user{number}@example.com", "password_hash": _HASH}) + "\n"
                for number in range(users)
            )
        else:
            _write_realm(output, users)


def _write_realm(output: Any, users: int) -> None:  # noqa: ANN401 — a text file
    secret = json.dumps({"value": "v" * 43 + "=", "salt": "c2FsdHNhbHQ=", "additionalParameters": {}})
    data = json.dumps({"hashIterations": 27500, "algorithm": "pbkdf2-sha256", "additionalParameters": {}})
    credentials = [{"type": "password", "secretData": secret, "credentialData": data}]
    output.write('{"realm": "bench", "users": [\n')
    for number in range(users):
        user = {"username": f"user{number}", "email": f"user{number}@example.com", "credentials": credentials}
        output.write(json.dumps(user, indent=2) + (",\n" if number < users - 1 else "\n"))
    output.write("]}\n")


@contextmanager
def sqlite(folder: str) -> Iterator[str]:
    """A file."""
    yield f"sqlite+aiosqlite:///{folder}/bench.db"


def measure(file: Path, file_format: str, url: str, users: int) -> dict[str, Any]:
    """Import once.

    Raises:
        RuntimeError: Not everybody went in, or was there.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "watchword", "users", "import", str(file), "--format", file_format, "--json"],
        env={**environment, "WATCHWORD_DATABASE_URL": url},
        stdout=subprocess.PIPE,
    )
    memory = _watch(process, file)
    told, _ = process.communicate()
    seconds = time.perf_counter() - started
    summary = json.loads(told)
    if process.returncode or summary["imported"] + summary["existing"] != users:
        raise RuntimeError(f"not everybody was imported: {summary}")
    return {
        "imported": summary["imported"],
        "seconds": seconds,
        "rows/s": users / seconds,
        **{f"MiB at {point} %": memory[point] for point in _POINTS},
        "MiB at most": memory["most"],
    }


def _watch(process: subprocess.Popen[bytes], file: Path) -> dict[Any, float]:
    """Resident memory when so much of the file was read; the last is that of the last look."""
    watched, size = psutil.Process(process.pid), file.stat().st_size
    found: dict[Any, float] = dict.fromkeys((*_POINTS, "most"), 0.0)
    while process.poll() is None:
        try:
            resident = watched.memory_info().rss / 2**20
            read = next((entry.position for entry in watched.open_files() if entry.path == str(file)), 0)
        except psutil.Error:
            break
        found["most"] = max(found["most"], resident)
        for point in _POINTS[:-1]:
            if not found[point] and read >= size * point / 100:
                found[point] = resident
        found[100] = resident if read >= size * 0.99 else found[100]
        time.sleep(_LOOK_SECONDS)
    return found


if __name__ == "__main__":
    main()
