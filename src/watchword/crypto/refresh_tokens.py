"""Refresh tokens: made from a session's handle, a generation and a key that is not in the database.

`wwr_` and, in base64url: key id (4 bytes), handle (16), generation (4), HMAC-SHA256 of these (32), CRC-32 of all (4).
The checksum lets a secret scanner, and us, drop a truncated one without a key; the MAC is what makes it a credential.
"""

import binascii
import hmac
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from watchword.crypto import base64url
from watchword.crypto.sealing import derive

PREFIX: Final = "wwr_"
HANDLE_BYTES: Final = 16
LAST_GENERATION: Final = 2**31 - 2  # what a column of 32 bits holds, successor included

_KEY_ID_BYTES: Final = 4
_MAC_BYTES: Final = 32
_CHECKSUM_BYTES: Final = 4
_SIGNED_BYTES: Final = _KEY_ID_BYTES + HANDLE_BYTES + 4
_BYTES: Final = _SIGNED_BYTES + _MAC_BYTES + _CHECKSUM_BYTES
_CHARACTERS: Final = len(PREFIX) + (_BYTES * 4 + 2) // 3


class BadRefreshToken(Exception):
    """The text is no refresh token of ours; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a token says.

    Attributes:
        handle: Which session; it is in the session's tokens and its row, and nowhere else.
        generation: How many refreshes came before it.
    """

    handle: bytes = field(repr=False)
    generation: int


def new_handle() -> bytes:
    """A handle for a new session: 128 random bits."""
    return secrets.token_bytes(HANDLE_BYTES)


@dataclass(frozen=True, slots=True)
class RefreshTokenKeys:
    """Makes tokens under the first of several secrets and reads those made under any of them."""

    _first: bytes
    _keys: dict[bytes, bytes] = field(repr=False)

    @classmethod
    def from_secrets(cls, secrets_in_order: Sequence[bytes]) -> "RefreshTokenKeys":
        """Derive the keys. Processes may have the secrets in different orders while one is replaced by another."""
        keys = {
            derive(secret, "refresh token key id", _KEY_ID_BYTES): derive(secret, "refresh token")
            for secret in secrets_in_order
        }
        return cls(next(iter(keys)), keys)

    def encode(self, token: RefreshToken) -> str:
        """Write a token."""
        signed = self._first + token.handle + struct.pack(">I", token.generation)
        sealed = signed + hmac.digest(self._keys[self._first], signed, "sha256")
        return PREFIX + base64url.encode(sealed + _checksum(sealed))

    def decode(self, text: str) -> RefreshToken:
        """Read a token; nothing but the keys is consulted.

        Raises:
            BadRefreshToken: It was not made by `encode` under one of these secrets.
        """
        if len(text) != _CHARACTERS or not text.startswith(PREFIX):
            raise BadRefreshToken("no refresh token: its length or beginning")
        try:
            whole = base64url.decode(text.removeprefix(PREFIX))
        except ValueError:
            raise BadRefreshToken("not base64url") from None
        sealed, checksum = whole[:-_CHECKSUM_BYTES], whole[-_CHECKSUM_BYTES:]
        if checksum != _checksum(sealed):  # no secret: a help against typing and cutting
            raise BadRefreshToken("the checksum does not fit")
        signed, mac = sealed[:_SIGNED_BYTES], sealed[_SIGNED_BYTES:]
        key = self._keys.get(signed[:_KEY_ID_BYTES])
        if key is None:
            raise BadRefreshToken("made under a secret that is not in WATCHWORD_SECRET")
        if not hmac.compare_digest(hmac.digest(key, signed, "sha256"), mac):
            raise BadRefreshToken("the MAC does not fit")
        handle = signed[_KEY_ID_BYTES : _KEY_ID_BYTES + HANDLE_BYTES]
        (generation,) = struct.unpack(">I", signed[_KEY_ID_BYTES + HANDLE_BYTES :])
        if generation > LAST_GENERATION:
            raise BadRefreshToken("no session is refreshed so often")
        return RefreshToken(handle, generation)


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", binascii.crc32(data))
