"""The kinds of password hashes: how each is written, what it costs, how a password is compared with it.

Every kind is stored in one form, `$kind$parameters$salt$digest`; salt and digest are standard base64 without padding:

```
$argon2id$v=19$m=19456,t=2,p=1$salt$digest       PHC, as every library writes it; argon2i and argon2d too
$2b$12$…                                         bcrypt's own; $2a$, $2x$ and $2y$ too
$pbkdf2-sha256$i=600000,l=32$salt$digest         PHC; sha1 and sha512 too; l is the digest's length in bytes
$scrypt$ln=14,r=8,p=1$salt$digest                PHC; N is 2 to the power of ln
$firebase-scrypt$ln=14,r=8,p=1$salt$digest       AES-256-CTR's key stream under the key that scrypt made
```

What other programs write is translated to these forms by `foreign_hashes`.
"""

import base64
import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self

import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from typing_extensions import override

_MAX_MEMORY_KIB: Final = 1048576
_MAX_ARGON2_WORK: Final = 4 * 1048576  # KiB × passes: 1 GiB four times
_MAX_SCRYPT_WORK: Final = 1048576  # KiB × p: scrypt takes some three times as long for each as Argon2
_MAX_LANES: Final = 16
_MAX_BCRYPT_ROUNDS: Final = 15
_MAX_PBKDF2_WORK: Final = 10_000_000  # iterations × blocks of output: some 2.5 s, as bcrypt's 15 rounds
_MAX_PBKDF2_BLOCKS: Final = 8
_BCRYPT_BYTES: Final = 72  # the algorithm ignores, and newer libraries refuse, what comes after
_BCRYPT_ALPHABET: Final = "./" + string.ascii_letters + string.digits
_MIN_DIGEST_BYTES: Final = 16  # a digest that was cut short would match many passwords
_SALT_AND_DIGEST: Final = re.compile(r"\$[A-Za-z0-9+/]{2,1400}\$[A-Za-z0-9+/]{22,700}")
_AES_256_BYTES: Final = 32


class Scheme(Protocol):
    """How a hash was made: what tells a cheap one from a dear one. Equal for all hashes that cost the same."""

    head: ClassVar[re.Pattern[str]]
    tail: ClassVar[re.Pattern[str]]

    @classmethod
    def read(cls, head: re.Match[str]) -> Self:
        """From what `head` matched."""
        ...

    @property
    def is_affordable(self) -> bool:
        """False for a cost that would be a denial of service to verify, and where there is no such cost."""
        ...

    def verify(self, password: str, encoded: str) -> bool:
        """Whether this is the password of a hash of this scheme.

        Raises:
            ValueError: The hash is damaged.
            PwdlibError: The hash is damaged.
        """
        ...

    def decoy(self) -> str:
        """An encoded hash of random bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Argon2:
    """Argon2 (RFC 9106).

    Attributes:
        variant: `argon2id`, `argon2i` or `argon2d`.
        memory: KiB.
        passes: Argon2's t.
        lanes: Argon2's p.
        version: 19, or 16 for the one before.
    """

    variant: str
    memory: int
    passes: int
    lanes: int
    version: int

    head: ClassVar = re.compile(r"\$(argon2(?:id|i|d))\$(?:v=(\d{1,4})\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})")
    tail: ClassVar = re.compile(r"\$[^$]+\$[^$]+")
    _any_cost: ClassVar = Argon2Hasher()

    @classmethod
    def read(cls, head: re.Match[str]) -> Self:
        """From what `head` matched."""
        variant, version, memory, passes, lanes = head.groups()
        return cls(variant, int(memory), int(passes), int(lanes), int(version or 16))

    @override
    def __str__(self) -> str:
        return f"${self.variant}$v={self.version}$m={self.memory},t={self.passes},p={self.lanes}"

    @property
    def is_affordable(self) -> bool:
        """Up to 1 GiB, 4 GiB of memory × passes, 16 lanes."""
        return (
            self.memory <= _MAX_MEMORY_KIB
            and self.memory * self.passes <= _MAX_ARGON2_WORK
            and self.lanes <= _MAX_LANES
        )

    def verify(self, password: str, encoded: str) -> bool:
        """See `Scheme`."""
        return self._any_cost.verify(password, encoded)

    def decoy(self) -> str:
        """See `Scheme`."""
        return f"{self}{salt_and_digest(secrets.token_bytes(16), secrets.token_bytes(32))}"


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """bcrypt.

    Attributes:
        rounds: The logarithm of what it does.
    """

    rounds: int

    head: ClassVar = re.compile(r"\$2[abxy]\$(\d\d)")
    tail: ClassVar = re.compile(r"\$[./A-Za-z0-9]{53}")
    _any_cost: ClassVar = BcryptHasher()

    @classmethod
    def read(cls, head: re.Match[str]) -> Self:
        """From what `head` matched."""
        return cls(int(head[1]))

    @override
    def __str__(self) -> str:
        return f"$2b${self.rounds:02}"

    @property
    def is_affordable(self) -> bool:
        """Up to 15 rounds."""
        return self.rounds <= _MAX_BCRYPT_ROUNDS

    def verify(self, password: str, encoded: str) -> bool:
        """See `Scheme`. More than 72 bytes, or a NUL, where other implementations stop reading, never match."""
        whole = len(password.encode()) <= _BCRYPT_BYTES and "\x00" not in password
        return self._any_cost.verify(password if whole else "", encoded) and whole

    def decoy(self) -> str:
        """See `Scheme`."""
        return bcrypt.gensalt(self.rounds).decode() + "".join(secrets.choice(_BCRYPT_ALPHABET) for _ in range(31))


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    """PBKDF2 with HMAC (RFC 8018 §5.2).

    Attributes:
        digest: `sha1`, `sha256` or `sha512`.
        iterations: Rounded up to two figures: passlib varied them from hash to hash, and each scheme is measured.
        length: Bytes of output; each block of the digest's size costs all iterations once more.
    """

    digest: str
    iterations: int
    length: int

    head: ClassVar = re.compile(r"\$pbkdf2-(sha1|sha256|sha512)\$i=([1-9]\d{0,8}),l=([1-9]\d{0,2})")
    tail: ClassVar = _SALT_AND_DIGEST

    @classmethod
    def read(cls, head: re.Match[str]) -> Self:
        """From what `head` matched."""
        return cls(head[1], _rounded_up(int(head[2])), int(head[3]))

    @override
    def __str__(self) -> str:
        return f"$pbkdf2-{self.digest}$i={self.iterations},l={self.length}"

    @property
    def is_affordable(self) -> bool:
        """Up to ten million iterations × blocks of output."""
        blocks = -(-self.length // hashlib.new(self.digest).digest_size)
        return (
            self.length >= _MIN_DIGEST_BYTES
            and blocks <= _MAX_PBKDF2_BLOCKS
            and self.iterations * blocks <= _MAX_PBKDF2_WORK
        )

    def verify(self, password: str, encoded: str) -> bool:
        """See `Scheme`."""
        salt, digest = _salt_and_digest_of(encoded)
        exact = self.head.match(encoded)
        assert exact is not None
        computed = hashlib.pbkdf2_hmac(self.digest, password.encode(), salt, int(exact[2]), self.length)
        return hmac.compare_digest(computed, digest)

    def decoy(self) -> str:
        """See `Scheme`."""
        return f"{self}{salt_and_digest(secrets.token_bytes(16), secrets.token_bytes(self.length))}"


@dataclass(frozen=True, slots=True)
class Scrypt:
    """scrypt (RFC 7914), plain or as Firebase uses it.

    Firebase encrypts one signer key of the project with the key that scrypt makes, AES-256-CTR from a counter of zero.
    Taking the signer key off again leaves the key stream, and that is what is stored here: it depends on nothing but
    password and salt, and the signer key need not be kept (decision 13).

    Attributes:
        name: `scrypt` or `firebase-scrypt`.
        log_n: The logarithm of N.
        block_size: scrypt's r.
        lanes: scrypt's p.
    """

    name: str
    log_n: int
    block_size: int
    lanes: int

    head: ClassVar = re.compile(r"\$(scrypt|firebase-scrypt)\$ln=([1-9]\d?),r=([1-9]\d{0,3}),p=([1-9]\d{0,3})")
    tail: ClassVar = _SALT_AND_DIGEST

    @classmethod
    def read(cls, head: re.Match[str]) -> Self:
        """From what `head` matched."""
        return cls(head[1], int(head[2]), int(head[3]), int(head[4]))

    @override
    def __str__(self) -> str:
        return f"${self.name}$ln={self.log_n},r={self.block_size},p={self.lanes}"

    @property
    def is_affordable(self) -> bool:
        """Up to 1 GiB of memory × p, 16 lanes; N has to be less than 2^(16 r) (RFC 7914 §2)."""
        memory_kib = (1 << self.log_n) * self.block_size // 8
        return (
            memory_kib * self.lanes <= _MAX_SCRYPT_WORK
            and self.lanes <= _MAX_LANES
            and self.log_n < 16 * self.block_size
        )

    def verify(self, password: str, encoded: str) -> bool:
        """See `Scheme`."""
        salt, digest = _salt_and_digest_of(encoded)
        length = len(digest) if self.name == "scrypt" else _AES_256_BYTES
        n, r, p = 1 << self.log_n, self.block_size, self.lanes
        needed = 128 * r * (n + p + 3)
        computed = hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=needed, dklen=length)
        if self.name == "firebase-scrypt":
            computed = _key_stream(computed, len(digest))
        return hmac.compare_digest(computed, digest)

    def decoy(self) -> str:
        """See `Scheme`."""
        return f"{self}{salt_and_digest(secrets.token_bytes(16), secrets.token_bytes(64))}"


KINDS: Final[tuple[type[Scheme], ...]] = (Argon2, Bcrypt, Pbkdf2, Scrypt)


def scheme_in(encoded: str) -> Scheme | None:
    """The scheme of an encoded hash, at whatever cost; None if it is of no kind above."""
    for kind in KINDS:
        head = kind.head.match(encoded)
        if head is not None and kind.tail.fullmatch(encoded, head.end()):
            return kind.read(head)
    return None


def parse_scheme(text: str) -> Scheme | None:
    """A scheme from its text; None if it is of no kind above, or too dear."""
    for kind in KINDS:
        if head := kind.head.fullmatch(text):
            scheme = kind.read(head)
            return scheme if scheme.is_affordable else None
    return None


def salt_and_digest(salt: bytes, digest: bytes) -> str:
    """The end of an encoded hash."""
    return "".join(f"${base64.b64encode(part).rstrip(b'=').decode()}" for part in (salt, digest))


def _salt_and_digest_of(encoded: str) -> tuple[bytes, bytes]:
    salt, digest = (base64.b64decode(part + "=" * (-len(part) % 4)) for part in encoded.split("$")[-2:])
    return salt, digest


def _key_stream(key: bytes, length: int) -> bytes:
    return Cipher(AES(key), CTR(bytes(16))).encryptor().update(bytes(length))


def _rounded_up(number: int) -> int:
    step = int("1" + "0" * (len(str(number)) - 2))
    return -(-number // step) * step
