"""Proof Key for Code Exchange (RFC 7636), by SHA-256 alone: `plain` proves nothing to whoever sees the request."""

import hmac
import re
from hashlib import sha256
from typing import Final

from watchword.crypto import base64url

METHOD: Final = "S256"
_DIGEST_BYTES: Final = 32
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


def is_challenge(text: str) -> bool:
    """Whether it is the digest of something, as a client sends it."""
    try:
        return len(base64url.decode(text)) == _DIGEST_BYTES
    except ValueError:
        return False


def proves(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one that a challenge was made of; compared in constant time."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(base64url.encode(sha256(verifier.encode("ascii")).digest()), challenge)
