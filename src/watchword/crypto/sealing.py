"""Secrets that have to be read back, sealed with AES-256-GCM under keys derived from `WATCHWORD_SECRET`.

A sealed value is `version (1) ‖ key id (8) ‖ nonce (12) ‖ ciphertext and tag`. The associated data names table, column
and row, so that a sealed value moved to another row does not open.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = 1 + _KEY_ID_BYTES + _NONCE_BYTES
KEY_ID: Final = slice(1, 1 + _KEY_ID_BYTES)
"""Where in a sealed value the id of its key stands."""


class SealBroken(Exception):
    """The value does not open: it was altered, or it belongs to another row."""


class UnknownSealKey(SealBroken):
    """The value was sealed under a secret that is not in the list."""


def derive(secret: bytes, purpose: str, length: int = 32) -> bytes:
    """Derive a key for one purpose from a secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"watchword {purpose}".encode()).derive(secret)


def row_context(table: str, column: str, row_id: str) -> bytes:
    """The associated data of a sealed column."""
    return b"\x00".join((table.encode(), column.encode(), row_id.encode()))


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals under the first of several secrets and opens under any of them."""

    _first: bytes
    _keys: dict[bytes, AESGCM] = field(repr=False)

    @classmethod
    def from_secrets(cls, secrets_in_order: Sequence[bytes]) -> "Sealer":
        """Derive the keys. The first secret seals; the others are for what was sealed before it was promoted."""
        keys = {
            derive(secret, "seal key id", _KEY_ID_BYTES): AESGCM(derive(secret, "seal")) for secret in secrets_in_order
        }
        return cls(next(iter(keys)), keys)

    @property
    def key_ids(self) -> Sequence[bytes]:
        """The ids of the keys, in the order of the secrets: the first seals."""
        return tuple(self._keys)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt and authenticate `plain`, bound to `context`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + self._first + nonce + self._keys[self._first].encrypt(nonce, plain, context)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Open what `seal` made for the same context.

        Raises:
            UnknownSealKey: It was sealed under a secret that is not in the list.
            SealBroken: It was altered, or sealed for another row.
        """
        key = self._keys.get(sealed[KEY_ID])
        if sealed[:1] != _VERSION or key is None:
            raise UnknownSealKey
        try:
            return key.decrypt(sealed[KEY_ID.stop : _HEADER_BYTES], sealed[_HEADER_BYTES:], context)
        except InvalidTag:
            raise SealBroken from None
