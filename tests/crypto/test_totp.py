"""One-time codes by RFC 6238's own vectors, and what a code may look like."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from watchword.crypto import recovery_codes, totp

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238, appendix B: Unix time and the SHA-1 code, of whose eight digits we show the last six.
VECTORS = [
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
    (2000000000, "69279037"), (20000000000, "65353130"),
]  # fmt: skip


@pytest.mark.parametrize(("moment", "code"), VECTORS)
def test_the_codes_are_those_of_the_rfc(moment: int, code: str) -> None:
    assert totp.matching_step(RFC_SECRET, code[2:], now=moment) == moment // 30


@pytest.mark.parametrize(("offset", "is_taken"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_one_step_before_and_after_is_taken_and_no_more(offset: int, is_taken: bool) -> None:
    moment, code = VECTORS[4]
    found = totp.matching_step(RFC_SECRET, code[2:], now=moment + offset)
    assert found == (moment // 30 if is_taken else None)


def test_the_beginning_of_time_has_no_step_before_it() -> None:
    assert totp.matching_step(RFC_SECRET, "755224", now=0) == 0  # RFC 4226, appendix D: counter 0


def test_seeds_are_160_random_bits() -> None:
    seeds = {totp.new_secret() for _ in range(100)}
    assert len(seeds) == 100
    assert {len(base64.b32decode(seed)) for seed in seeds} == {20}


def test_the_address_for_an_app_names_account_and_issuer() -> None:
    uri = totp.provisioning_uri(RFC_SECRET, account="a+b@example.com", issuer="My Shop & Co")
    assert (
        uri
        == f"otpauth://totp/My%20Shop%20%26%20Co:a%2Bb%40example.com?secret={RFC_SECRET}&issuer=My%20Shop%20%26%20Co"
    )


def test_the_qr_code_is_one_svg_element_without_anything_active() -> None:
    root = ET.fromstring(totp.qr_svg("otpauth://totp/x?secret=ABC"))  # noqa: S314 — our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "g", "path"}


def test_recovery_codes_have_120_bits_and_are_all_different() -> None:
    codes, digests = recovery_codes.new_set()
    assert len(set(codes)) == len(set(digests)) == 10
    assert all(re.fullmatch(r"([a-z2-7]{4}-){5}[a-z2-7]{4}", code) for code in codes)
    assert [recovery_codes.digest(code) for code in codes] == list(digests)


@pytest.mark.parametrize("typed", ["{code}", " {code} ", "{plain}", "{upper}", "{spaced}"])
def test_a_recovery_code_is_the_same_however_it_is_typed(typed: str) -> None:
    code = recovery_codes.new()
    forms = {"code": code, "plain": code.replace("-", ""), "upper": code.upper(), "spaced": code.replace("-", " ")}
    assert recovery_codes.digest(typed.format(**forms)) == recovery_codes.digest(code)


@pytest.mark.parametrize(
    "text", ["", "123456", "abcd-efgh", "a" * 23, "a" * 25, "0" * 24, "ａ" * 24, "\u212a" * 24, "é" * 24]
)
def test_what_is_no_recovery_code_has_no_digest(text: str) -> None:
    assert recovery_codes.digest(text) is None
