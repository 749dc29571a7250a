"""Password hashes: what comes from elsewhere, what is upgraded, what is never computed."""

import pytest
from argon2 import PasswordHasher as Argon2
from argon2 import Type
from pwdlib.hashers.bcrypt import BcryptHasher

from watchword.crypto.passwords import PasswordHasher, decoy, scheme_of
from watchword.crypto.schemes import Argon2 as Argon2Scheme
from watchword.crypto.schemes import Bcrypt, Pbkdf2, Scheme, Scrypt, parse_scheme

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    return PasswordHasher("m=7168,t=1,p=1")


MADE_ELSEWHERE = {
    "bcrypt": BcryptHasher(rounds=4, prefix="2a").hash(PASSWORD),
    "weaker": Argon2(time_cost=1, memory_cost=512, parallelism=1).hash(PASSWORD),
    "argon2i": Argon2(time_cost=2, memory_cost=7168, parallelism=1, type=Type.I).hash(PASSWORD),
    "equal": Argon2(time_cost=1, memory_cost=7168, parallelism=1).hash(PASSWORD),
    "stronger": Argon2(time_cost=3, memory_cost=65536, parallelism=4).hash(PASSWORD),
}


@pytest.mark.parametrize("kind", MADE_ELSEWHERE)
def test_hashes_of_other_libraries_verify(hasher: PasswordHasher, kind: str) -> None:
    assert hasher.verify(PASSWORD, MADE_ELSEWHERE[kind])
    assert not hasher.verify(PASSWORD + " ", MADE_ELSEWHERE[kind])


@pytest.mark.parametrize("kind", MADE_ELSEWHERE)
def test_a_weaker_or_older_hash_is_replaced_and_a_stronger_one_is_not(hasher: PasswordHasher, kind: str) -> None:
    assert hasher.needs_rehash(MADE_ELSEWHERE[kind]) is (kind in {"bcrypt", "weaker", "argon2i"})
    assert not hasher.needs_rehash("no hash")


def test_bcrypt_sees_no_more_than_72_bytes(hasher: PasswordHasher) -> None:
    exactly = "a" * 72
    encoded = BcryptHasher(rounds=4).hash(exactly)
    assert hasher.verify(exactly, encoded)
    assert not hasher.verify(exactly + "b", encoded)
    assert not hasher.verify("", encoded)


def test_argon2_tells_the_73rd_byte(hasher: PasswordHasher) -> None:
    encoded = hasher.hash("a" * 72 + "b")
    assert hasher.verify("a" * 72 + "b", encoded)
    assert not hasher.verify("a" * 72 + "c", encoded)


@pytest.mark.parametrize(
    "bomb",
    [
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$ZGlnZXN0ZGlnZXN0",
        "$argon2id$v=19$m=1048576,t=99,p=1$c2FsdHNhbHQ$ZGlnZXN0ZGlnZXN0",
        "$argon2id$v=19$m=7168,t=1,p=255$c2FsdHNhbHQ$ZGlnZXN0ZGlnZXN0",
        "$2b$31$" + "a" * 53,
        f"$pbkdf2-sha256$i=10100000,l=32$c2FsdHNhbHQ${'a' * 43}",
        f"$pbkdf2-sha256$i=5100000,l=64$c2FsdHNhbHQ${'a' * 86}",
        f"$pbkdf2-sha256$i=1000,l=999$c2FsdHNhbHQ${'a' * 700}",
        f"$scrypt$ln=21,r=8,p=1$c2FsdHNhbHQ${'a' * 86}",
        f"$scrypt$ln=20,r=8,p=2$c2FsdHNhbHQ${'a' * 86}",
        f"$scrypt$ln=4,r=8,p=17$c2FsdHNhbHQ${'a' * 86}",
        f"$scrypt$ln=16,r=1,p=1$c2FsdHNhbHQ${'a' * 86}",
        f"$firebase-scrypt$ln=24,r=8,p=1$c2FsdHNhbHQ${'a' * 86}",
        "$pbkdf2-sha256$i=1000,l=4$c2FsdHNhbHQ$aaaaaa",
        "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$aaaaaa",
        "$argon2id$v=19$m=" + "9" * 5000 + ",t=1,p=1$c2FsdHNhbHQ$ZGlnZXN0ZGlnZXN0",
        "$1$salt$digest",
        "",
        "plain",
    ],
)
def test_a_bomb_or_an_unknown_kind_is_never_computed(hasher: PasswordHasher, bomb: str) -> None:
    assert scheme_of(bomb) is None
    assert hasher.verify(PASSWORD, bomb) is False


@pytest.mark.parametrize(
    "scheme",
    [
        Argon2Scheme("argon2id", 7168, 1, 1, 19),
        Bcrypt(4),
        Pbkdf2("sha1", 1000, 20),
        Pbkdf2("sha256", 27000, 64),
        Pbkdf2("sha512", 1000, 64),
        Scrypt("scrypt", 10, 8, 1),
        Scrypt("firebase-scrypt", 10, 8, 1),
    ],
    ids=str,
)
def test_a_decoy_has_the_scheme_and_no_password(hasher: PasswordHasher, scheme: Scheme) -> None:
    assert scheme_of(decoy(scheme)) == scheme
    assert parse_scheme(str(scheme)) == scheme
    assert hasher.needs_rehash(decoy(scheme)) is not isinstance(scheme, Argon2Scheme)
    assert decoy(scheme) != decoy(scheme)
    assert not hasher.verify(PASSWORD, decoy(scheme))


@pytest.mark.parametrize(
    "broken",
    [
        f"$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHQ${'a' * 44}",
        f"$pbkdf2-sha256$i=1000,l=32$aaaaa${'a' * 43}",
        f"$scrypt$ln=4,r=8,p=1$aaaaa${'a' * 43}",
        "$argon2id$v=19$m=7168,t=1,p=1$!!!$???",
        "$2b$04$" + "." * 53,
        "$2b$99$" + "a" * 53,
    ],
)
def test_a_damaged_hash_verifies_nothing_and_raises_nothing(hasher: PasswordHasher, broken: str) -> None:
    assert hasher.verify(PASSWORD, broken) is False
