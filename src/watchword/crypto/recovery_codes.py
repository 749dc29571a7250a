"""Recovery codes: for the day the phone is gone. 120 random bits each, in groups of four to be typed.

Stored as a SHA-256 digest alone: of so many random bits a plain hash tells nothing, and needs no salt and no cost.
"""

import base64
import re
import secrets
from hashlib import sha256
from typing import Final

COUNT: Final = 10
_RANDOM_BYTES: Final = 15  # 120 bits: 24 characters of base32, none of them 0, 1, 8 or 9
_CODE: Final = re.compile(r"[a-z2-7]{24}", re.ASCII)
_GROUPS: Final = re.compile(r"[a-z2-7]{4}", re.ASCII)
_BETWEEN: Final = str.maketrans("", "", " -")


def new() -> str:
    """Make a code: `abcd-efgh-…`, six groups."""
    return "-".join(_GROUPS.findall(base64.b32encode(secrets.token_bytes(_RANDOM_BYTES)).decode("ascii").lower()))


def new_set() -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """Make ten codes, and beside them what is stored of each."""
    codes = tuple(new() for _ in range(COUNT))
    return codes, tuple(stored for stored in map(digest, codes) if stored is not None)


def digest(code: str) -> bytes | None:
    """What is stored of a code, however its groups and letters are typed; None if no code looks so."""
    plain = code.translate(_BETWEEN)
    if not plain.isascii() or not _CODE.fullmatch(plain.lower()):
        return None
    return sha256(plain.lower().encode("ascii")).digest()
