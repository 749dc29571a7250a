"""Password hashes: Argon2id for what is new, other kinds as they came from elsewhere, with our rules on top.

The rules: a password is verified exactly as received; bcrypt never sees more than 72 bytes; a hash whose cost would be
a bomb is not computed; a weaker hash is replaced after it was verified, a stronger one never.
"""

from typing import Final

from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher

from watchword.crypto.schemes import Argon2, Scheme, scheme_in
from watchword.settings import argon2_parameters

MAX_PASSWORD_BYTES: Final = 1024
_ARGON2_VERSION: Final = 19


def scheme_of(encoded: str) -> Scheme | None:
    """Read the scheme of an encoded hash; None if it is none that can be verified here at a bearable cost."""
    scheme = scheme_in(encoded)
    return scheme if scheme is not None and scheme.is_affordable else None


class PasswordHasher:
    """Hashes and verifies at one configured cost. Every call is tens of milliseconds of CPU.

    Args:
        cost: A `PASSWORD_COST`.
    """

    def __init__(self, cost: str) -> None:
        memory, passes, lanes = argon2_parameters(cost)
        self.scheme: Final = Argon2("argon2id", memory, passes, lanes, _ARGON2_VERSION)
        self._argon2 = Argon2Hasher(time_cost=passes, memory_cost=memory, parallelism=lanes)

    def hash(self, password: str) -> str:
        """Hash a password, as a PHC string."""
        return self._argon2.hash(password)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password of the hash. False, too, for a hash that is malformed or too dear."""
        scheme = scheme_of(encoded)
        try:
            return scheme is not None and scheme.verify(password, encoded)
        except (PwdlibError, ValueError):
            return False

    def needs_rehash(self, encoded: str) -> bool:
        """Whether a hash is of another kind, or of less work, than the configured one. A stronger Argon2id is not."""
        scheme = scheme_of(encoded)
        if scheme is None:
            return False
        if not isinstance(scheme, Argon2) or scheme.variant != "argon2id" or scheme.version < _ARGON2_VERSION:
            return True
        return scheme.memory * scheme.passes < self.scheme.memory * self.scheme.passes


def decoy(scheme: Scheme) -> str:
    """An encoded hash of random bytes: verifying against it does all the work of a real one, and fails.

    It is what a login of a user who is not there is checked against.
    """
    return scheme.decoy()
