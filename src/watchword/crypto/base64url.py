"""Base64url without padding (RFC 7515 §2), decoded strictly: one text for each value."""

import binascii
import re
from typing import Final

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """Encode without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Decode what `encode` makes, and nothing else: no padding, no white space, no stray bits at the end.

    Raises:
        ValueError: The text is not canonical base64url.
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    if encode(data) != text:  # two spellings of one token would be two entries wherever tokens are remembered
        raise ValueError("not canonical base64url")
    return data
