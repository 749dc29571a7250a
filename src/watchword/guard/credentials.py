"""Where a request carries its token (RFC 6750 §2): one Authorization header, or a browser WebSocket's subprotocol."""

from functools import partial
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from watchword.errors import MalformedCredential

_FORM: Final = b"application/x-www-form-urlencoded"
_SUBPROTOCOL: Final = "bearer"
_LONGEST_FORM: Final = 65536


def authorization(connection: HTTPConnection) -> tuple[bytes | None, bool]:
    """The Authorization header as it came, and whether a form follows, which may carry a token too.

    Each guarded request comes by here: no `Headers` are made, and nothing is decoded.

    Raises:
        MalformedCredential: It came twice.
    """
    found: bytes | None = None
    is_form = False
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            if found is not None:  # headers.get() would take the first, another layer perhaps the last
                raise MalformedCredential("two Authorization headers")
            found = value
        elif name == b"content-type" and value.lower().startswith(_FORM):
            is_form = True
    return found, is_form


async def bearer_token(connection: HTTPConnection) -> str | None:
    """The bearer token of a request; None if it has none. The query string is never looked at.

    Raises:
        MalformedCredential: It came twice, or is no single token.
    """
    header, is_form = authorization(connection)
    token = _from_header(header.decode("latin-1")) if header is not None else None
    if isinstance(connection, WebSocket):
        return token or _from_subprotocol(connection)
    if is_form and token is not None and isinstance(connection, Request) and await _form_has_token(connection):
        raise MalformedCredential("a token in the header and one in the body")
    return token


def _from_header(header: str) -> str | None:
    if header[:7].lower() != "bearer ":
        if header.lower() == "bearer":
            raise MalformedCredential("nothing after Bearer")
        return None
    token = header[7:].strip(" ")
    if not token or " " in token or "\t" in token or "," in token:
        raise MalformedCredential("not one token after Bearer")
    return token


def _from_subprotocol(websocket: WebSocket) -> str | None:
    # Browsers cannot set headers on a WebSocket; `new WebSocket(url, ["bearer", token])` is what they can do.
    offered = websocket.scope.get("subprotocols", [])
    if len(offered) != 2 or offered[0] != _SUBPROTOCOL:  # noqa: PLR2004 — the word and the token
        return None
    # The browser closes the socket unless the server picks one of what it offered: the word, never the token.
    websocket.accept = partial(websocket.accept, subprotocol=_SUBPROTOCOL)  # type: ignore[method-assign]
    return str(offered[1])


async def _form_has_token(request: Request) -> bool:
    """Whether a form body carries a token too (RFC 6750 §2: one way at a time)."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST_FORM:
        return False
    body = await request.body()  # kept by the request, so the endpoint can still read it
    return any(name == "access_token" for name, _ in parse_qsl(body.decode("latin-1"), keep_blank_values=True))
