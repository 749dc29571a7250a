"""A stream of bytes, its beginning known before it is read, cut into lines."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

LONGEST_ROW: Final = 1 << 20
"""Bytes. A longer row is refused, and never in memory as a whole."""

_CHUNK: Final = 1 << 16
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, or None in place of one that is too long."""

    number: int
    data: bytes | None


class Source:
    """A stream that is read once.

    Args:
        stream: A file or a pipe.

    Attributes:
        head: The first bytes, 64 KiB where there are so many.
        position: How many bytes were read so far.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting: deque[bytes] = deque()
        self.position = 0
        head = b""
        while len(head) < _CHUNK and (chunk := self._read(_CHUNK - len(head))):
            head += chunk
        self.head: Final = head.removeprefix(_BYTE_ORDER_MARK)
        self._waiting.append(self.head)

    def chunks(self) -> Iterator[bytes]:
        """All there is, in pieces."""
        while self._waiting:
            yield self._waiting.popleft()
        while chunk := self._read(_CHUNK):
            yield chunk

    def lines(self) -> Iterator[Line]:
        """All lines, empty ones too; the last need not end."""
        number, pending, is_too_long = 1, b"", False
        for chunk in self.chunks():
            *ended, rest = (pending + chunk).split(b"\n")
            for data in ended:
                yield Line(number, None if is_too_long or len(data) > LONGEST_ROW else data.removesuffix(b"\r"))
                number, is_too_long = number + 1, False
            is_too_long = is_too_long or len(rest) > LONGEST_ROW
            pending = b"" if is_too_long else rest
        if pending or is_too_long:
            yield Line(number, None if is_too_long else pending.removesuffix(b"\r"))

    def _read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.position += len(data)
        return data
