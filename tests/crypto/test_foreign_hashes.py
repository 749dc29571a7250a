"""Hashes that other programs made: read as they write them, verified, never longer than it takes."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import Type
from argon2.low_level import hash_secret_raw
from django.conf import settings
from django.contrib.auth import hashers as django

from watchword.crypto.foreign_hashes import FirebaseParameters, canonical_hash, keycloak_hash
from watchword.crypto.passwords import PasswordHasher, scheme_of
from watchword.crypto.schemes import Pbkdf2, scheme_in

PASSWORD = "correct horse battery staple"
SALT = "JgX3mPzq9eVbNhT0sYwKcd"

if not settings.configured:
    settings.configure()


def ab64(data: bytes) -> str:
    """Base64 as passlib writes it."""
    return base64.b64encode(data).rstrip(b"=").replace(b"+", b".").decode()


def passlib_pbkdf2(password: str, name: str, digest: str) -> str:
    salt = bytes(range(240, 256))  # its base64 has a plus
    hashed = hashlib.pbkdf2_hmac(digest, password.encode(), salt, 1000)
    return f"${name}$1000${ab64(salt)}${ab64(hashed)}"


def plain_scrypt(password: str, salt: bytes, length: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=256, r=8, p=1, dklen=length)


def phc(password: str, name: str, digest: str, *, length: str) -> str:
    salt = b"a salt of bytes"
    hashed = hashlib.pbkdf2_hmac(digest, password.encode(), salt, 1000)
    return f"${name}$i=1000{length}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


MAKERS: dict[str, Callable[[str], str]] = {
    "django-pbkdf2": lambda password: django.PBKDF2PasswordHasher().encode(password, SALT, iterations=1000),
    "django-pbkdf2-sha1": lambda password: django.PBKDF2SHA1PasswordHasher().encode(password, SALT, iterations=1000),
    "django-scrypt": lambda password: django.ScryptPasswordHasher().encode(password, SALT, n=256),
    "passlib-pbkdf2-sha256": lambda password: passlib_pbkdf2(password, "pbkdf2-sha256", "sha256"),
    "passlib-pbkdf2-sha512": lambda password: passlib_pbkdf2(password, "pbkdf2-sha512", "sha512"),
    "passlib-pbkdf2": lambda password: passlib_pbkdf2(password, "pbkdf2", "sha1"),
    "passlib-scrypt": lambda password: (
        "$scrypt$ln=8,r=8,p=1$c2FsdHNhbHQ$"
        + base64.b64encode(plain_scrypt(password, b"saltsalt", 32)).rstrip(b"=").decode()
    ),
    "werkzeug-scrypt": lambda password: f"scrypt:256:8:1${SALT}${plain_scrypt(password, SALT.encode(), 64).hex()}",
    "werkzeug-pbkdf2": lambda password: (
        f"pbkdf2:sha256:1000${SALT}${hashlib.pbkdf2_hmac('sha256', password.encode(), SALT.encode(), 1000).hex()}"
    ),
    "phc-pbkdf2": lambda password: phc(password, "pbkdf2-sha512", "sha512", length=",l=64"),
    "phc-pbkdf2-without-length": lambda password: phc(password, "pbkdf2-sha256", "sha256", length=""),
}


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    return PasswordHasher("m=7168,t=1,p=1")


@pytest.mark.parametrize("password", [PASSWORD, "pässwörter ✓" * 20, "a\x00b"])
@pytest.mark.parametrize("kind", MAKERS)
def test_a_hash_verifies_its_password_alone_and_is_replaced(hasher: PasswordHasher, kind: str, password: str) -> None:
    encoded = canonical_hash(MAKERS[kind](password))
    assert encoded is not None
    assert hasher.verify(password, encoded)
    assert not hasher.verify(password + " ", encoded)
    assert not hasher.verify(password[:-1], encoded)
    assert hasher.needs_rehash(encoded)
    assert canonical_hash(encoded) == encoded


def test_what_is_known_of_old_is_read_as_it_is_written() -> None:
    # The published examples of passlib's documentation, for "password".
    hasher = PasswordHasher("m=7168,t=1,p=1")
    for published in (
        "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
    ):
        encoded = canonical_hash(published)
        assert encoded is not None
        assert hasher.verify("password", encoded)
        assert not hasher.verify("Password", encoded)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "pbkdf2_sha256$1000$salt$not base64",
        "pbkdf2_sha256$1000$salt$" + "a" * 45,  # no length that base64 has
        "pbkdf2_sha256$1000$salt$AAAA",  # three bytes: it would match one password in 16 million
        "pbkdf2_sha256$0$salt$" + "A" * 44,
        "pbkdf2_sha256$99999999999999$salt$" + "A" * 44,
        "pbkdf2_md5$1000$salt$" + "A" * 44,
        "scrypt$1000$salt$8$1$" + "A" * 88,  # no power of two
        "scrypt:16384:8:1$salt$" + "0" * 31,
        "pbkdf2:sha256:1000$salt$zz",
        "bcrypt_sha256$$2b$12$" + "a" * 53,
        "$pbkdf2-sha256$i=1000,l=64$c2FsdA$" + "A" * 43,
        "$5$rounds=1000$salt$digest",
        "argon2$argon2id$nonsense",
    ],
)
def test_what_cannot_be_read_is_no_hash(text: str) -> None:
    assert canonical_hash(text) is None


def test_a_hash_that_is_too_dear_is_read_and_never_computed(hasher: PasswordHasher) -> None:
    dear = canonical_hash("pbkdf2_sha256$999999999$salt$" + "A" * 43 + "=")
    assert dear is not None
    assert scheme_of(dear) is None
    assert not hasher.verify(PASSWORD, dear)


def test_iterations_that_vary_from_hash_to_hash_are_few_schemes_and_are_verified_exactly(
    hasher: PasswordHasher,
) -> None:
    encoded = canonical_hash(django.PBKDF2PasswordHasher().encode(PASSWORD, SALT, iterations=28_741))
    assert encoded is not None
    assert scheme_in(encoded) == Pbkdf2("sha256", 29_000, 32)
    assert hasher.verify(PASSWORD, encoded)


def keycloak(credential: dict[str, Any], salt: bytes, value: bytes) -> str | None:
    # As an export has it: JSON within JSON.
    secret = {
        "value": base64.b64encode(value).decode(),
        "salt": base64.b64encode(salt).decode(),
        "additionalParameters": {},
    }
    return keycloak_hash(json.loads(json.dumps(credential)), json.loads(json.dumps(secret)))


@pytest.mark.parametrize(
    ("algorithm", "digest", "length"),
    [
        ("pbkdf2", "sha1", 64),
        ("pbkdf2-sha256", "sha256", 64),
        ("pbkdf2-sha512", "sha512", 64),
        ("pbkdf2-sha256", "sha256", 32),
    ],
)
def test_keycloaks_pbkdf2_verifies_whatever_the_length_of_its_output(
    hasher: PasswordHasher, algorithm: str, digest: str, length: int
) -> None:
    value = hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), b"s" * 16, 1000, length)
    encoded = keycloak({"hashIterations": 1000, "algorithm": algorithm, "additionalParameters": {}}, b"s" * 16, value)
    assert encoded is not None
    assert hasher.verify(PASSWORD, encoded)
    assert not hasher.verify(PASSWORD + "!", encoded)


def test_keycloaks_argon2_verifies(hasher: PasswordHasher) -> None:
    value = hash_secret_raw(
        PASSWORD.encode(), b"s" * 16, time_cost=2, memory_cost=512, parallelism=1, hash_len=32, type=Type.ID
    )
    parameters = {"hashLength": ["32"], "memory": ["512"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
    credential = {"hashIterations": 2, "algorithm": "argon2", "additionalParameters": parameters}
    encoded = keycloak(credential, b"s" * 16, value)
    assert encoded is not None
    assert hasher.verify(PASSWORD, encoded)
    assert not hasher.verify(PASSWORD + "!", encoded)
    for broken in ({}, {**parameters, "version": ["2"]}, {**parameters, "memory": []}, {**parameters, "type": ["x"]}):
        assert keycloak({**credential, "additionalParameters": broken}, b"s" * 16, value) is None


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"algorithm": "pbkdf2-sha256"},
        {"algorithm": "pbkdf2-sha256", "hashIterations": "many"},
        {"algorithm": "pbkdf2-md5", "hashIterations": 1000},
        {"algorithm": "bcrypt", "hashIterations": 10},
        {"algorithm": None, "hashIterations": 1000},
        {"algorithm": "argon2", "hashIterations": 1, "additionalParameters": None},
    ],
)
def test_a_credential_of_keycloak_that_cannot_be_read_is_no_hash(credential: dict[str, Any]) -> None:
    assert keycloak(credential, b"s" * 16, b"v" * 32) is None


# The published example of firebase/scrypt: parameters as the console shows them, and one exported account.
CONSOLE = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}"""
FIREBASE_HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
FIREBASE_SALT = "42xEC+ixf3L2lw=="
FIREBASE_PASSWORD = "user1password"


def test_firebases_published_example_verifies_and_holds_no_signer_key(hasher: PasswordHasher) -> None:
    parameters = FirebaseParameters.parse(CONSOLE)
    encoded = parameters.hash(FIREBASE_HASH, FIREBASE_SALT)
    assert encoded is not None
    assert encoded.startswith("$firebase-scrypt$ln=14,r=8,p=1$")
    assert hasher.verify(FIREBASE_PASSWORD, encoded)
    assert not hasher.verify(FIREBASE_PASSWORD + "!", encoded)
    assert not hasher.verify("", encoded)
    for encoding in (base64.b64encode, base64.urlsafe_b64encode):
        assert encoding(parameters.signer_key).rstrip(b"=").decode() not in encoded
    assert "jxspr8" not in repr(parameters)
    web_safe = FIREBASE_HASH.replace("+", "-").replace("/", "_").rstrip("=")
    assert parameters.hash(web_safe, FIREBASE_SALT.rstrip("=").replace("+", "-")) == encoded


def test_firebases_parameters_are_read_as_json_too() -> None:
    shown = FirebaseParameters.parse(CONSOLE)
    as_json = {
        "base64_signer_key": base64.b64encode(shown.signer_key).decode(),
        "base64_salt_separator": "Bw==",
        "rounds": 8,
        "mem_cost": 14,
    }
    assert FirebaseParameters.parse(json.dumps(as_json)) == shown
    assert FirebaseParameters.parse(json.dumps(as_json, indent=2)) == shown


@pytest.mark.parametrize("missing", ["base64_signer_key", "rounds", "mem_cost"])
def test_a_parameter_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(ValueError, match=f"{missing} is missing"):
        FirebaseParameters.parse(CONSOLE.replace(missing, "other"))


@pytest.mark.parametrize(("old", "new"), [("rounds: 8", "rounds: eight"), ("jxspr8", "j"), ("jxspr8Ki0", "")])
def test_a_parameter_that_is_wrong_is_refused_without_the_signer_key(old: str, new: str) -> None:
    with pytest.raises(ValueError, match="no number, or not base64") as refused:
        FirebaseParameters.parse(CONSOLE.replace(old, new))
    assert "Ki0RYyc" not in str(refused.value)


def test_a_signer_key_of_another_length_fits_no_hash() -> None:
    shorter = FirebaseParameters.parse(CONSOLE.replace("jxspr8Ki", ""))
    assert shorter.hash(FIREBASE_HASH, FIREBASE_SALT) is None
