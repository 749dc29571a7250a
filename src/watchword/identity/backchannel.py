"""How a client is told that a session has ended: a request of ours to its own server (Back-Channel Logout §2.5)."""

import asyncio
import re
import ssl
from functools import cache
from typing import Final
from urllib.parse import urlencode, urlsplit

_TIMEOUT_SECONDS: Final = 5.0
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_FIRST_FINAL: Final = 200


class NotTold(Exception):
    """The client did not take it; the message says why, for the operator, and quotes nothing that it answered."""


async def tell(uri: str, logout_token: str) -> None:
    """Post a logout token.

    Args:
        uri: As the client registered it: https, or on loopback.
        logout_token: What says which session it was.

    Raises:
        NotTold: Nobody answers in time, or with anything but success.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            status = await _post(uri, urlencode({"logout_token": logout_token}).encode())
    except (OSError, ValueError) as error:  # ValueError: an address that cannot be read, or a line that has no end
        raise NotTold(type(error).__name__) from None
    if not 200 <= status < 300:  # noqa: PLR2004 — a success
        raise NotTold(f"it answered {status}")


async def _post(uri: str, form: bytes) -> int:
    """The status of the answer. The rest is not read, no redirect is followed, no proxy of the environment is asked.

    No thread waits here. One could not be called back from a server that answers a byte now and then, and a handful of
    them are all that looks up addresses for the whole process, the database's too.
    """
    parts = urlsplit(uri)
    is_https = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(
        parts.hostname, parts.port or (443 if is_https else 80), ssl=_tls() if is_https else None
    )
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = (
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            "User-Agent: watchword",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(form)}",
            "Connection: close",
        )
        writer.write("\r\n".join(head).encode("ascii") + b"\r\n\r\n" + form)
        await writer.drain()
        while (status := await _status(reader)) < _FIRST_FINAL:  # RFC 9110 §15.2: others may come before the answer
            while await _line(reader) not in {b"\r\n", b"\n"}:
                pass
        return status
    finally:
        writer.transport.abort()  # a farewell would be one more thing to wait for


async def _status(reader: asyncio.StreamReader) -> int:
    match = _STATUS.fullmatch(await _line(reader))
    if match is None:
        raise ConnectionError
    return int(match[1])


async def _line(reader: asyncio.StreamReader) -> bytes:
    line = await reader.readline()
    if not line.endswith(b"\n"):
        raise ConnectionResetError
    return line


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
