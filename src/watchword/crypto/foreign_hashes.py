"""Password hashes as other programs write them, translated to the forms of `schemes`.

A translation changes how a hash is written and computes nothing; what cannot be read gives None.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.crypto.schemes import salt_and_digest, scheme_in

_NUMBER: Final = r"([1-9]\d{0,9})"
_DIGEST_NAMES: Final = {"": "sha1", "-sha256": "sha256", "-sha512": "sha512"}
_KEYCLOAK_VERSIONS: Final = {"1.3": 19, "1.0": 16}
_LARGEST_LOG_N: Final = 99


def canonical_hash(encoded: str) -> str | None:
    """The form in which a hash is stored; None if it is of no kind that can be verified here, or damaged.

    It reads bcrypt and Argon2 as all libraries write them; Django's `argon2$…`, `bcrypt$$2b$…`, `pbkdf2_sha256$…`,
    `pbkdf2_sha1$…` and `scrypt$…`; passlib's `$pbkdf2-sha256$…`, `$pbkdf2-sha512$…`, `$pbkdf2$…` and `$scrypt$…`;
    Werkzeug's `scrypt:…` and `pbkdf2:…`; and PHC strings of PBKDF2, as Auth0 takes them.
    """
    try:
        for pattern, translate in _FORMS:
            if match := pattern.fullmatch(encoded):
                encoded = translate(match)
                break
    except ValueError:
        return None
    return encoded if scheme_in(encoded) is not None else None


def keycloak_hash(credential: Mapping[str, Any], secret: Mapping[str, Any]) -> str | None:
    """The hash in a password credential of a Keycloak realm.

    Args:
        credential: What `credentialData` holds as JSON: algorithm, iterations, and Argon2's parameters.
        secret: What `secretData` holds as JSON: value and salt.
    """
    try:
        algorithm, iterations = str(credential["algorithm"]), int(credential["hashIterations"])
        salt, digest = _base64(secret["salt"]), _base64(secret["value"])
        if algorithm == "argon2":
            parameters = {name: values[0] for name, values in credential["additionalParameters"].items()}
            version = _KEYCLOAK_VERSIONS[parameters["version"]]
            cost = f"m={int(parameters['memory'])},t={iterations},p={int(parameters['parallelism'])}"
            return canonical_hash(f"$argon2{parameters['type']}$v={version}${cost}{salt_and_digest(salt, digest)}")
        return canonical_hash(_pbkdf2(_DIGEST_NAMES[algorithm.removeprefix("pbkdf2")], iterations, salt, digest))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class FirebaseParameters:
    """How a Firebase project hashes passwords: its console shows them as "Password hash parameters".

    Attributes:
        signer_key: What every hash of the project encrypts; a secret.
        salt_separator: What follows each salt.
        rounds: scrypt's r.
        mem_cost: The logarithm of scrypt's N.
    """

    signer_key: bytes = field(repr=False)
    salt_separator: bytes
    rounds: int
    mem_cost: int

    @classmethod
    def parse(cls, text: str) -> "FirebaseParameters":
        """Read them as the console shows them, or as JSON with the same names.

        Raises:
            ValueError: One is missing, or is not what it has to be.
        """
        found = dict(re.findall(r'"?\b([a-z][a-z0-9_]*)"?\s*:\s*"?([A-Za-z0-9+/=_-]+)', text))
        try:
            parameters = cls(
                signer_key=_base64(found["base64_signer_key"]),
                salt_separator=_base64(found.get("base64_salt_separator", "")),
                rounds=int(found["rounds"]),
                mem_cost=int(found["mem_cost"]),
            )
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is missing") from None
        except ValueError:
            raise ValueError("one of them is no number, or not base64") from None
        if not parameters.signer_key:
            raise ValueError("base64_signer_key is empty")
        return parameters

    def hash(self, password_hash: str, salt: str) -> str | None:
        """The hash of a user of the project.

        Args:
            password_hash: As it was exported, base64.
            salt: As it was exported, base64.
        """
        try:
            encrypted = _base64(password_hash)
            if len(encrypted) != len(self.signer_key):
                return None
            key_stream = bytes(a ^ b for a, b in zip(encrypted, self.signer_key, strict=True))
            tail = salt_and_digest(_base64(salt) + self.salt_separator, key_stream)
        except (TypeError, ValueError, AttributeError):
            return None
        return canonical_hash(f"$firebase-scrypt$ln={self.mem_cost},r={self.rounds},p=1{tail}")


def _pbkdf2(digest: str, iterations: int, salt: bytes, hashed: bytes) -> str:
    return f"$pbkdf2-{digest}$i={iterations},l={len(hashed)}{salt_and_digest(salt, hashed)}"


def _scrypt(log_n: int, block_size: int, lanes: int, *, salt: bytes, hashed: bytes) -> str:
    return f"$scrypt$ln={log_n},r={block_size},p={lanes}{salt_and_digest(salt, hashed)}"


def _django_pbkdf2(match: re.Match[str]) -> str:
    return _pbkdf2(match[1], int(match[2]), match[3].encode(), _base64(match[4]))


def _django_scrypt(match: re.Match[str]) -> str:
    n, salt, r, p, hashed = match.groups()
    return _scrypt(_logarithm(n), int(r), int(p), salt=salt.encode(), hashed=_base64(hashed))


def _werkzeug_pbkdf2(match: re.Match[str]) -> str:
    return _pbkdf2(match[1], int(match[2]), match[3].encode(), bytes.fromhex(match[4]))


def _werkzeug_scrypt(match: re.Match[str]) -> str:
    n, r, p, salt, hashed = match.groups()
    return _scrypt(_logarithm(n), int(r), int(p), salt=salt.encode(), hashed=bytes.fromhex(hashed))


def _passlib_pbkdf2(match: re.Match[str]) -> str:
    # passlib's base64 has a dot where others have a plus
    salt, hashed = (_base64(match[group].replace(".", "+")) for group in (3, 4))
    return _pbkdf2(_DIGEST_NAMES[match[1]], int(match[2]), salt, hashed)


def _phc_pbkdf2(match: re.Match[str]) -> str:
    digest, iterations, length, salt, hashed = match.groups()
    decoded = _base64(hashed)
    if length is not None and int(length) != len(decoded):
        raise ValueError("a digest that is not as long as it says")
    return _pbkdf2(digest, int(iterations), _base64(salt), decoded)


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(r"argon2(\$argon2.*)"), lambda match: match[1]),
    (re.compile(r"bcrypt\$(\$2.*)"), lambda match: match[1]),
    (re.compile(rf"pbkdf2_(sha1|sha256|sha512)\${_NUMBER}\$([^$]+)\$([A-Za-z0-9+/=]+)"), _django_pbkdf2),
    (re.compile(rf"scrypt\${_NUMBER}\$([^$]+)\${_NUMBER}\${_NUMBER}\$([A-Za-z0-9+/=]+)"), _django_scrypt),
    (re.compile(rf"pbkdf2:(sha1|sha256|sha512):{_NUMBER}\$([^$]+)\$([0-9a-f]+)"), _werkzeug_pbkdf2),
    (re.compile(rf"scrypt:{_NUMBER}:{_NUMBER}:{_NUMBER}\$([^$]+)\$([0-9a-f]+)"), _werkzeug_scrypt),
    (re.compile(rf"\$pbkdf2(|-sha256|-sha512)\${_NUMBER}\$([A-Za-z0-9./]+)\$([A-Za-z0-9./]+)"), _passlib_pbkdf2),
    (
        re.compile(
            rf"\$pbkdf2-(sha1|sha256|sha512)\$i={_NUMBER}(?:,l={_NUMBER})?\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)"
        ),
        _phc_pbkdf2,
    ),
)


def _logarithm(text: str) -> int:
    """The logarithm of a power of two.

    Raises:
        ValueError: It is none.
    """
    number = int(text)
    if number & (number - 1) or not 0 < number.bit_length() <= _LARGEST_LOG_N:
        raise ValueError("not a power of two")
    return number.bit_length() - 1


def _base64(text: str) -> bytes:
    """Decode either alphabet of base64, padded or not.

    Raises:
        ValueError: It is neither.
    """
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
