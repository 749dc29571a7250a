"""The report of rows that `watchword users import` refused."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from watchword.errors import InvalidInput
from watchword.user_files import Refused

Report = Callable[[Sequence[Refused]], None]
"""Takes refused rows, and has written them when it returns."""

_FORMULA: Final = ("=", "+", "-", "@")


@contextmanager
def reporting(path: Path | None, *, imported: Path | None) -> Iterator[Report]:
    """Where refused rows are written: JSON Lines if the name ends in `.jsonl`, else CSV; nowhere without a name.

    Args:
        path: What to write; what was there is replaced.
        imported: What is read meanwhile.

    Raises:
        InvalidInput: The file cannot be written, or is the one that is read.
    """
    if path is None:
        yield _to_nobody
        return
    with _created(path, imported) as file:
        yield _json_lines(file) if path.suffix == ".jsonl" else _csv(file)


def _created(path: Path, imported: Path | None) -> TextIO:
    try:
        if imported is not None and path.exists() and path.samefile(imported):
            raise InvalidInput(text="--report is the file that is imported")
        # Addresses of people: for whoever runs this alone.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise InvalidInput(text=f"{path} cannot be written: {error.strerror}") from None
    return os.fdopen(descriptor, "w", encoding="utf-8")


def _to_nobody(_rows: Sequence[Refused]) -> None:
    return


def _json_lines(file: TextIO) -> Report:
    def write(rows: Sequence[Refused]) -> None:
        file.writelines(json.dumps({"line": row.line, "email": row.email, "reason": row.reason}) + "\n" for row in rows)
        file.flush()

    return write


def _csv(file: TextIO) -> Report:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("line", "email", "reason"))

    def write(rows: Sequence[Refused]) -> None:
        writer.writerows((row.line, _no_formula(row.email or ""), row.reason) for row in rows)
        file.flush()

    return write


def _no_formula(text: str) -> str:
    """An address may begin like a formula, which a spreadsheet would run (CWE-1236)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
