"""What we add to uvicorn: a bound on the head of a request, and no query strings in the log."""

import logging
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MAX_HEAD_BYTES: Final = 131_072  # twice what `StrictHeaders` lets pass: it answers in better words where it can
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"  # RFC 6585 §5
)


class BoundedHttp(HttpToolsProtocol):
    """Gives up on a head that does not end; the parser alone would keep it in memory until it does."""

    _reading_head = False
    _head_bytes = 0

    @override
    def data_received(self, data: bytes) -> None:
        was_reading = self._reading_head
        super().data_received(data)
        if was_reading and self._reading_head:  # what came with the head's start may have been another's body
            self._head_bytes += len(data)
        if self._head_bytes > _MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    @override
    def on_message_begin(self) -> None:
        self._reading_head, self._head_bytes = True, 0
        super().on_message_begin()

    @override
    def on_headers_complete(self) -> None:
        self._reading_head, self._head_bytes = False, 0
        super().on_headers_complete()


class WithoutQuery(logging.Filter):
    """Cuts `?…` from the access log: what a client puts there by mistake may be a secret."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True
