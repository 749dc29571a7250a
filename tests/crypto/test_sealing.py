"""Sealed values open under their secret, in their row, and nowhere else."""

import pytest

from watchword.crypto.sealing import SealBroken, Sealer, UnknownSealKey, row_context

ROW = row_context("signing_key", "private_sealed", "1")
OLD, NEW = b"old secret " * 4, b"new secret " * 4


def test_a_value_opens_in_its_row_alone() -> None:
    sealer = Sealer.from_secrets([OLD])
    sealed = sealer.seal(b"plain", ROW)
    assert sealer.unseal(sealed, ROW) == b"plain"
    assert b"plain" not in sealed
    assert sealed != sealer.seal(b"plain", ROW)
    for other in ("2", "1\x00"):
        with pytest.raises(SealBroken):
            sealer.unseal(sealed, row_context("signing_key", "private_sealed", other))


def test_every_altered_byte_is_noticed() -> None:
    sealer = Sealer.from_secrets([OLD])
    sealed = sealer.seal(b"plain", ROW)
    for index in range(len(sealed)):
        altered = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(SealBroken):
            sealer.unseal(altered, ROW)
    with pytest.raises(SealBroken):
        sealer.unseal(b"", ROW)


def test_a_secret_can_be_rotated() -> None:
    before = Sealer.from_secrets([OLD]).seal(b"plain", ROW)
    assert Sealer.from_secrets([NEW, OLD]).unseal(before, ROW) == b"plain"
    after = Sealer.from_secrets([NEW, OLD]).seal(b"plain", ROW)
    assert Sealer.from_secrets([NEW]).unseal(after, ROW) == b"plain"
    with pytest.raises(UnknownSealKey):
        Sealer.from_secrets([NEW]).unseal(before, ROW)


def test_no_key_is_in_the_repr() -> None:
    assert "AESGCM" not in repr(Sealer.from_secrets([OLD]))
