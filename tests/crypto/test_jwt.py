"""The strict reader, by property: what it takes is what we wrote, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.crypto import base64url, jwt
from watchword.crypto.keys import KeySet, generate_key
from watchword.settings import SigningAlgorithm

KEYS = KeySet.of(generate_key(algorithm) for algorithm in SigningAlgorithm)
EXPECTED = jwt.Expected(type="at+jwt", issuer="https://i", audience="https://a", strings=("sub",), leeway=30)
CLAIMS = {"iss": "https://i", "aud": "https://a", "sub": "s", "exp": 200, "iat": 100}


def token(algorithm: SigningAlgorithm = SigningAlgorithm.ES256) -> str:
    return jwt.encode(CLAIMS, key=KEYS.signing[algorithm], type_="at+jwt")


@pytest.mark.parametrize("algorithm", list(SigningAlgorithm))
def test_what_was_written_is_read(algorithm: SigningAlgorithm) -> None:
    assert jwt.decode(token(algorithm), keys=KEYS, expected=EXPECTED, now=150) == CLAIMS


@given(st.data())
def test_no_changed_character_goes_unnoticed(data: st.DataObject) -> None:
    original = token()
    index = data.draw(st.integers(0, len(original) - 1))
    other = data.draw(st.characters(max_codepoint=0x17F).filter(lambda character: character != original[index]))
    with pytest.raises(jwt.BadToken):
        jwt.decode(original[:index] + other + original[index + 1 :], keys=KEYS, expected=EXPECTED, now=150)


@given(st.text())
def test_no_text_makes_it_crash(text: str) -> None:
    with pytest.raises(jwt.BadToken):
        jwt.decode(text, keys=KEYS, expected=EXPECTED, now=150)


@given(st.binary())
def test_base64url_has_one_spelling(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


@given(st.text(alphabet="AB-_=+/ \n9", max_size=12))
def test_whatever_decodes_encodes_to_itself(text: str) -> None:
    try:
        data = base64url.decode(text)
    except ValueError:
        return
    assert base64url.encode(data) == text


def test_expiry_and_the_leeway_are_exact_to_the_second() -> None:
    jwt.decode(token(), keys=KEYS, expected=EXPECTED, now=199)
    jwt.decode(token(), keys=KEYS, expected=EXPECTED, now=70)
    for now in (200, 69):
        with pytest.raises(jwt.BadToken):
            jwt.decode(token(), keys=KEYS, expected=EXPECTED, now=now)


def test_the_key_set_publishes_no_private_part_and_no_symmetric_key() -> None:
    published = KEYS.jwks()["keys"]
    assert {key["alg"] for key in published} == {"ES256", "RS256"}
    for key in published:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        assert key["use"] == "sig"
    assert all(key.private_jwk not in repr(key) for key in KEYS.by_kid.values())
