"""Password hashes: Argon2id first, bcrypt as it came from elsewhere (pwdlib), with our rules on top.

The rules: a password is verified exactly as received; bcrypt never sees more than 72 bytes; a hash whose cost would be
a bomb is not computed; a weaker hash is replaced after it was verified, a stronger one never.
"""

import base64
import re
import secrets
import string
from dataclasses import dataclass
from typing import Final

import bcrypt
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from typing_extensions import override

from watchword.settings import argon2_parameters

MAX_PASSWORD_BYTES: Final = 1024
_BCRYPT_BYTES: Final = 72  # the algorithm ignores, and newer libraries refuse, what comes after
_ARGON2: Final = re.compile(r"\$(argon2(?:id|i|d))\$(?:v=(\d+)\$)?m=(\d+),t=(\d+),p=(\d+)\$[^$]+\$[^$]+")
_BCRYPT: Final = re.compile(r"\$(2[abxy])\$(\d\d)\$[./A-Za-z0-9]{53}")
_BCRYPT_ALPHABET: Final = "./" + string.ascii_letters + string.digits
_MAX_MEMORY_KIB: Final = 1048576
_MAX_ARGON2_WORK: Final = 4 * 1048576  # KiB × passes: 1 GiB four times
_MAX_LANES: Final = 16
_MAX_BCRYPT_ROUNDS: Final = 15
_ARGON2_VERSION: Final = 19


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a hash was made: what tells a cheap one from a dear one.

    Attributes:
        name: `argon2id`, `argon2i`, `argon2d`, or `bcrypt`.
        memory: KiB; 0 for bcrypt.
        passes: Argon2's t, or bcrypt's logarithmic rounds.
        lanes: Argon2's p; 1 for bcrypt.
        version: Argon2's version; 0 for bcrypt.
    """

    name: str
    memory: int
    passes: int
    lanes: int
    version: int

    @override
    def __str__(self) -> str:
        """The part of the encoded hash that is the same for all hashes of this scheme."""
        if self.name == "bcrypt":
            return f"$2b${self.passes:02}"
        return f"${self.name}$v={self.version}$m={self.memory},t={self.passes},p={self.lanes}"

    @property
    def is_affordable(self) -> bool:
        """False for a cost that would be a denial of service to verify."""
        if self.name == "bcrypt":
            return self.passes <= _MAX_BCRYPT_ROUNDS
        return (
            self.memory <= _MAX_MEMORY_KIB
            and self.memory * self.passes <= _MAX_ARGON2_WORK
            and self.lanes <= _MAX_LANES
        )


def without_django_prefix(encoded: str) -> str:
    """Django writes the kind before a hash that says it itself: `argon2$argon2id$…`, `bcrypt$$2b$…`."""
    for prefix, kind in (("argon2", "$argon2"), ("bcrypt$", "$2")):
        if encoded.startswith(prefix + kind):
            return encoded.removeprefix(prefix)
    return encoded


def scheme_of(encoded: str) -> Scheme | None:
    """Read the scheme of an encoded hash; None if it is none that can be verified here at a bearable cost."""
    scheme: Scheme | None = None
    if match := _ARGON2.fullmatch(encoded):
        name, version, memory, passes, lanes = match.groups()
        scheme = Scheme(name, int(memory), int(passes), int(lanes), int(version or 16))
    elif match := _BCRYPT.fullmatch(encoded):
        scheme = Scheme("bcrypt", 0, int(match[2]), 1, 0)
    return scheme if scheme is not None and scheme.is_affordable else None


class PasswordHasher:
    """Hashes and verifies at one configured cost. Every call is tens of milliseconds of CPU.

    Args:
        cost: A `PASSWORD_COST`.
    """

    def __init__(self, cost: str) -> None:
        memory, passes, lanes = argon2_parameters(cost)
        self.scheme: Final = Scheme("argon2id", memory, passes, lanes, _ARGON2_VERSION)
        self._argon2 = Argon2Hasher(time_cost=passes, memory_cost=memory, parallelism=lanes)
        self._bcrypt = BcryptHasher()

    def hash(self, password: str) -> str:
        """Hash a password, as a PHC string."""
        return self._argon2.hash(password)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password of the hash. False, too, for a hash that is malformed or too dear."""
        scheme = scheme_of(encoded)
        if scheme is None:
            return False
        try:
            if scheme.name != "bcrypt":
                return self._argon2.verify(password, encoded)
            whole = len(password.encode()) <= _BCRYPT_BYTES and "\x00" not in password
            return self._bcrypt.verify(password if whole else "", encoded) and whole
        except (PwdlibError, ValueError):
            return False

    def needs_rehash(self, encoded: str) -> bool:
        """Whether a hash is of an older kind, or of less work, than the configured one. A stronger one is not."""
        scheme = scheme_of(encoded)
        if scheme is None:
            return False
        if scheme.name != "argon2id" or scheme.version < _ARGON2_VERSION:
            return True
        return scheme.memory * scheme.passes < self.scheme.memory * self.scheme.passes


def decoy(scheme: Scheme) -> str:
    """An encoded hash of random bytes: verifying against it does all the work of a real one, and fails.

    It is what a login of a user who is not there is checked against.
    """
    if scheme.name == "bcrypt":
        return bcrypt.gensalt(scheme.passes).decode() + "".join(secrets.choice(_BCRYPT_ALPHABET) for _ in range(31))
    salt, digest = (base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (16, 32))
    return f"{scheme}${salt}${digest}"
