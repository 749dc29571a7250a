"""Opaque tokens: a prefix and, in base64url, 32 random bytes and their CRC-32. Client secrets, API keys.

Stored as a SHA-256 digest alone: of 256 random bits a plain hash tells nothing, and needs no salt and no cost. The
checksum lets a secret scanner, and us, drop a mistyped or cut one without a query.
"""

import binascii
import secrets
import struct
from hashlib import sha256
from typing import Final

from watchword.crypto import base64url

_RANDOM_BYTES: Final = 32
_CHECKSUM_BYTES: Final = 4
_CHARACTERS: Final = (_RANDOM_BYTES + _CHECKSUM_BYTES) * 4 // 3


class BadOpaqueToken(Exception):
    """The text is no token of this kind; the message says why, for the log."""


def new(prefix: str) -> str:
    """Make a token: 256 random bits."""
    random = secrets.token_bytes(_RANDOM_BYTES)
    return prefix + base64url.encode(random + _checksum(prefix, random))


def digest(prefix: str, token: str) -> bytes:
    """What is stored of a token, 32 bytes; nothing is consulted.

    Raises:
        BadOpaqueToken: `new` does not make such a text: it has another prefix, was cut or was mistyped.
    """
    if len(token) != len(prefix) + _CHARACTERS or not token.startswith(prefix):
        raise BadOpaqueToken("another length or beginning")
    try:
        whole = base64url.decode(token[len(prefix) :])
    except ValueError as error:
        raise BadOpaqueToken(str(error)) from None
    random, checksum = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
    if checksum != _checksum(prefix, random):  # no secret: a help against typing and cutting
        raise BadOpaqueToken("the checksum does not fit")
    return sha256(token.encode("ascii")).digest()


def _checksum(prefix: str, random: bytes) -> bytes:
    return struct.pack(">I", binascii.crc32(prefix.encode("ascii") + random))
