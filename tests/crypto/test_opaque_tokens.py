"""Opaque tokens: what is made is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.crypto import opaque_tokens
from watchword.crypto.opaque_tokens import BadOpaqueToken

PREFIX = "wws_"


def test_a_token_has_a_digest_that_is_its_own() -> None:
    tokens = {opaque_tokens.new(PREFIX) for _ in range(100)}
    digests = {opaque_tokens.digest(PREFIX, token) for token in tokens}
    assert len(tokens) == len(digests) == 100
    assert {len(digest) for digest in digests} == {32}
    assert all(token.startswith(PREFIX) and len(token) == 52 for token in tokens)


def test_a_token_of_another_kind_is_none_of_this_one() -> None:
    token = opaque_tokens.new(PREFIX)
    for wrong in (token.replace("wws_", "wwk_"), opaque_tokens.new("wwk_"), token.removeprefix("wws_")):
        with pytest.raises(BadOpaqueToken):
            opaque_tokens.digest(PREFIX, wrong)


@given(place=st.integers(0, 51), character=st.characters(codec="utf-8"))
def test_a_mistyped_token_is_refused(place: int, character: str) -> None:
    token = opaque_tokens.new(PREFIX)
    mistyped = token[:place] + character + token[place + 1 :]
    if mistyped != token:
        with pytest.raises(BadOpaqueToken):
            opaque_tokens.digest(PREFIX, mistyped)


@pytest.mark.parametrize("cut", [0, 1, 4, 51])
def test_a_cut_or_lengthened_token_is_refused(cut: int) -> None:
    token = opaque_tokens.new(PREFIX)
    for wrong in (token[:cut], token + "A", token + "=", f" {token}", f"{token}\n"):
        with pytest.raises(BadOpaqueToken) as refused:
            opaque_tokens.digest(PREFIX, wrong)
        assert token[4:] not in str(refused.value)
