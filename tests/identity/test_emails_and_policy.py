"""When two addresses are one, and what a new password must be."""

import pytest

from watchword.errors import InvalidInput, WeakPassword
from watchword.identity.emails import canonical_email, parse_email
from watchword.identity.password_policy import PasswordPolicy, _objection, common_passwords

POLICY = PasswordPolicy(min_length=8)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Alice@Example.COM", "alice@example.com"),
        ("alice+tag@example.com", "alice+tag@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
    ],
)
def test_case_and_the_spelling_of_the_domain_make_no_other_account(written: str, canonical: str) -> None:
    assert parse_email(written).canonical == canonical
    assert canonical_email(written) == canonical


@pytest.mark.parametrize(
    "text",
    ["", "alice", "alice@", "@example.com", "a b@example.com", "аlice@example.com", "ａlice@example.com",
     "alice@ｅxample.com", "alice@example.com\u202e", "alice@example.com\x00", "a" * 65 + "@example.com",
     "alice@[1.2.3.4]"],
)  # fmt: skip
def test_what_is_no_address_or_only_looks_like_one_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_email(text)
    assert caught.value.text == "This is not an email address"
    assert canonical_email(text) == ""


@pytest.mark.parametrize(
    "password",
    ["short", "password", "PASSWORD", "passwordpassword", "aaaaaaaaaaaaaaaa", "abababababababab", "alice@example.com",
     "ALICE@example.com", "alicealice", "x" * 1025, "password12345678", "iloveyouiloveyou1", "123456789012345"],
)  # fmt: skip
@pytest.mark.anyio
async def test_short_common_repeated_and_own_ones_are_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        await POLICY.check(password, email="alice@example.com")
    assert f"{password!r}" not in caught.value.text


@pytest.mark.parametrize("password", ["gr8 tulips", "nur kleine buchstaben", "пароль из слов", "x" * 60 + "y" * 964])
@pytest.mark.anyio
async def test_any_other_is_taken_whatever_it_is_made_of(password: str) -> None:
    await POLICY.check(password, email="alice@example.com")


@pytest.mark.parametrize("min_length", [8, 15])
def test_more_than_the_three_thousand_commonest_that_are_long_enough_are_refused(min_length: int) -> None:
    """ASVS 6.2.4: of those that match the policy, whatever length it asks for."""
    common = common_passwords()
    assert {"123456", "password", "qwerty", "letmein"} <= common
    long_enough = {text for text in common if len(text) >= min_length}
    top = sorted(text for text in common if len(text) == 8)[:100]
    long_enough |= {first + second for first in top for second in top if len(first + second) >= min_length}
    assert len(long_enough) > 3000
    for password in long_enough:
        assert _objection(password, email="a@example.com", min_length=min_length, common=common) is not None
