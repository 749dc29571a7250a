"""CSV (RFC 4180), record by record, so that a damaged line spoils only itself."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from watchword.user_files.rows import BadRow
from watchword.user_files.source import LONGEST_ROW, Line

_DELIMITERS: Final = ",;\t"
_QUOTE: Final = "not CSV: a quote is missing or in the wrong place, or a field is over 128 KiB"


@dataclass(frozen=True, slots=True)
class Record:
    """A record: where it begins, its bytes, and its fields, or why it has none."""

    line: int
    size: int
    fields: list[str] | BadRow


class CsvReader:
    """Reads the records of a file whose first line names the columns.

    Args:
        lines: The file's.
        required: A column that must be there; it tells which delimiter the file has.

    Attributes:
        columns: The names in the first line.

    Raises:
        BadRow: The first line does not name such a column.
    """

    def __init__(self, lines: Iterable[Line], *, required: str) -> None:
        self._lines = iter(lines)
        self._put_back: deque[Line] = deque()
        first = next(self._lines, Line(1, b"")).data or b""
        self.columns, self._delimiter = _columns(first, required)

    def records(self) -> Iterator[Record]:
        """All but the first line. Empty lines are passed over."""
        while (line := self._next()) is not None:
            if line.data is None:
                yield Record(line.number, LONGEST_ROW, BadRow("longer than 1 MiB"))
            elif line.data.strip():
                yield self._record(line.number, line.data)

    def _record(self, number: int, data: bytes) -> Record:
        """A line and, where a quoted field goes on, those after it; if that makes no record, it is the line alone."""
        more: list[Line] = []
        parts, size, quotes = [data], len(data), data.count(b'"')
        while quotes % 2 and (line := self._next()) is not None:
            more.append(line)
            if line.data is None or size + len(line.data) > LONGEST_ROW:
                break
            parts.append(line.data)
            size, quotes = size + len(line.data), quotes + line.data.count(b'"')
        try:
            fields = _parse(b"\n".join(parts), self._delimiter)
            if len(fields) != len(self.columns):
                raise BadRow(f"{len(fields)} fields where there are {len(self.columns)} columns")  # noqa: TRY301
        except BadRow as problem:
            self._put_back.extendleft(reversed(more))
            return Record(number, len(data), BadRow(_QUOTE) if more else problem)
        return Record(number, size, fields)

    def _next(self) -> Line | None:
        return self._put_back.popleft() if self._put_back else next(self._lines, None)


def _columns(first: bytes, required: str) -> tuple[list[str], str]:
    for delimiter in _DELIMITERS:
        try:
            columns = [name.strip() for name in _parse(first, delimiter)]
        except BadRow:
            continue
        if required in columns:
            return columns, delimiter
    raise BadRow(f"the first line of a CSV file has to name its columns, {required} among them")


def _parse(data: bytes, delimiter: str) -> list[str]:
    try:
        (fields,) = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True)
    except UnicodeDecodeError:
        raise BadRow("not UTF-8") from None
    except (csv.Error, ValueError):
        raise BadRow(_QUOTE) from None
    return fields
