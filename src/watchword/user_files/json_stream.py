"""JSON that is too large for memory: the objects of one array, one at a time."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchword.user_files.rows import BadRow
from watchword.user_files.source import LONGEST_ROW

_OUTSIDE: Final = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL
)  # a whole string, or what has to be followed
_IN_STRING: Final = re.compile(rb'["\\]')
_BETWEEN: Final = b" \t\r\n,"
_LONGEST_KEY: Final = 64

TOO_LONG: Final = "longer than 1 MiB"
NOT_AN_OBJECT: Final = "not a JSON object"


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the array.

    Attributes:
        line: Where it begins.
        data: Its text, which may still be no JSON.
        problem: Why there is no text, or none that could be an object.
    """

    line: int
    data: bytes = b""
    problem: str | None = None


def parse_object(data: bytes) -> Mapping[str, Any]:
    """One JSON object.

    Raises:
        BadRow: It is none.
    """
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError:
        raise BadRow("not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadRow("not JSON") from None
    if not isinstance(value, dict):
        raise BadRow(NOT_AN_OBJECT)
    return value


def array_elements(chunks: Iterable[bytes], *, key: str | None) -> Iterator[Element]:
    """The objects in an array: the value of a key of the document's outermost object, or the document itself.

    It follows strings and brackets and parses nothing, so that a damaged object spoils only itself, as long as its
    brackets match. Whatever cannot be followed becomes an element with a problem: nothing is passed over in silence.

    Args:
        chunks: The document.
        key: Which key; None where the document is the array.
    """
    return _Scanner(None if key is None else json.dumps(key).encode()).scan(chunks)


class _Scanner:
    """Where in the document we are, across chunks."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self._home = 1 if key is None else 2  # how deep the array's elements lie
        self._line = 1
        self._depth = 0
        self._in_string = False  # one that began in an earlier chunk
        self._is_escaped = False
        self._last_string = b""
        self._was_found = False
        self._in_array = False
        self._junk_line: int | None = None
        self._element: bytearray | None = None
        self._element_line = 0
        self._is_too_long = False

    def scan(self, chunks: Iterable[bytes]) -> Iterator[Element]:
        for chunk in chunks:
            yield from self._scan_chunk(chunk)
        if self._element is not None:
            yield Element(self._element_line, problem="an object that does not end: nothing after it was read")
        elif self._in_array:
            yield Element(self._line, problem="the file ends in the middle of the list of users")
        elif not self._was_found:
            yield Element(1, problem="there is no list of users in this file")

    def _scan_chunk(self, chunk: bytes) -> Iterator[Element]:
        at = 0
        while at < len(chunk):
            if self._in_string:
                at = self._leave_string(chunk, at)
                continue
            found = _OUTSIDE.search(chunk, at)
            start, end = found.span() if found else (len(chunk), len(chunk))
            mark = chunk[start : start + 1]
            if self._is_at_home and (chunk[at:start].strip(_BETWEEN) or mark not in (b"", b"{", b"]")):
                self._junk_line = self._junk_line or self._line + chunk.count(b"\n", at, start)
            self._take(chunk, at, start)
            if self._junk_line and self._is_at_home and mark in (b"{", b"]"):
                yield Element(self._junk_line, problem=NOT_AN_OBJECT)
                self._junk_line = None
            if mark == b"{" and self._is_at_home:
                self._element, self._element_line, self._is_too_long = bytearray(), self._line, False
            self._take(chunk, start, end)
            if self._follow(mark, chunk[start : min(end, start + _LONGEST_KEY)], is_whole=end > start + 1):
                yield self._ended_element()
            at = end

    @property
    def _is_at_home(self) -> bool:
        """In the array, and in none of its elements."""
        return self._in_array and self._element is None and self._depth == self._home

    def _take(self, chunk: bytes, start: int, end: int) -> None:
        self._line += chunk.count(b"\n", start, end)
        if self._element is not None and not self._is_too_long:
            self._element += chunk[start:end]
            if len(self._element) > LONGEST_ROW:
                self._element, self._is_too_long = bytearray(), True

    def _leave_string(self, chunk: bytes, at: int) -> int:
        """Pass over the rest of a string, or of the chunk."""
        if self._is_escaped:  # the character after a backslash, whatever it is
            self._is_escaped = False
            self._take(chunk, at, at + 1)
            return at + 1
        found = _IN_STRING.search(chunk, at)
        end = found.end() if found else len(chunk)
        self._is_escaped = found is not None and found[0] == b"\\"
        self._in_string = found is None or self._is_escaped
        self._last_string += chunk[at:end][:_LONGEST_KEY] if len(self._last_string) < _LONGEST_KEY else b""
        self._take(chunk, at, end)
        return end

    def _follow(self, mark: bytes, text: bytes, *, is_whole: bool) -> bool:
        """Enter or leave what a mark opens or closes; whether that ended an element."""
        if mark == b'"':
            self._in_string = not is_whole
            self._last_string = text
        elif mark in (b"{", b"["):
            self._depth += 1
            if mark == b"[" and self._depth == self._home and (self._key is None or self._last_string == self._key):
                self._in_array = self._was_found = True
        elif mark == b"}" and self._is_at_home:
            pass  # one too many; it was noted as junk
        elif mark:
            self._depth -= 1
            self._in_array = self._in_array and self._depth >= self._home
            return self._element is not None and self._depth == self._home
        return False

    def _ended_element(self) -> Element:
        assert self._element is not None
        data, problem = (b"", TOO_LONG) if self._is_too_long else (bytes(self._element), None)
        self._element = None
        return Element(self._element_line, data, problem)
