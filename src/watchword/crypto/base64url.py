"""Base64url without padding (RFC 7515 §2), decoded strictly: one text for each value."""

import base64
import re
from typing import Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


def encode(data: bytes) -> str:
    """Encode without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Decode what `encode` makes, and nothing else: no padding, no white space, no stray bits at the end.

    Raises:
        ValueError: The text is not canonical base64url.
    """
    if not _ALPHABET.fullmatch(text):
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:  # two spellings of one token would be two entries wherever tokens are remembered
        raise ValueError("not canonical base64url")
    return data
