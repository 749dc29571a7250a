"""Which redirect URIs a client may register (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1)."""

import re
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2000
_PLAIN: Final = re.compile(
    r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+"
)  # RFC 3986: no space, quote, backslash
_PRIVATE_USE: Final = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DOT_SEGMENT: Final = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", re.IGNORECASE)


def problem_with(uri: str, *, is_public: bool) -> str | None:
    """Why a redirect URI cannot be registered, for whoever registers it; None if it can.

    Args:
        uri: As it will have to be sent, character by character.
        is_public: Whether the client is public, as a native app is.
    """
    if len(uri) > LONGEST or not _PLAIN.fullmatch(uri) or "#" in uri:  # RFC 6749 §3.1.2
        return "it must be an absolute address of at most 2,000 characters, no fragment, and ASCII alone"
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "it cannot be read as an address"
    if _DOT_SEGMENT.search(parts.path):
        return "its path must not have . or .. in it, which browsers resolve"
    if parts.scheme in {"http", "https"}:
        return _problem_on_the_web(parts.scheme, host, parts.netloc)
    if not is_public or not _PRIVATE_USE.fullmatch(parts.scheme):
        return (
            "it must begin with https://, with http:// on loopback or, for a public client, with a private-use scheme "
            "such as com.example.app:/ (RFC 8252 §7.1)"
        )
    return None


def _problem_on_the_web(scheme: str, host: str | None, netloc: str) -> str | None:
    if not host or "@" in netloc or "*" in netloc or "%" in netloc:
        return "it must name one host, without user or wildcard"
    if scheme == "http" and host not in _LOOPBACK:
        return "it must begin with https://, or be on loopback"
    return None
