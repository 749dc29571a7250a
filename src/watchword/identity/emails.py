"""Email addresses: how one is written, and when two are the same."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from email_validator import EmailNotValidError, validate_email

from watchword.errors import InvalidInput

_LONGEST: Final = 320  # more than any address has (RFC 5321 §4.5.3.1); reading a megabyte would hold up the event loop


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address that can be mailed.

    Attributes:
        written: In normal form, as mail is sent to it.
        canonical: Lower case with an ASCII domain; two addresses are the same account if this is equal.
    """

    written: str
    canonical: str


def parse_email(text: str) -> EmailAddress:
    """Read an address that was typed.

    The local part is ASCII (RFC 5321, not RFC 6531): letters that only look alike cannot make a second account. An
    address with compatibility characters (full width, ligatures) is refused rather than folded, so that nobody logs in
    with an address that is not theirs letter by letter.

    Raises:
        InvalidInput: It is no such address.
    """
    if len(text) > _LONGEST:
        raise InvalidInput("email is too long", text="This is not an email address")
    try:
        if not unicodedata.is_normalized("NFKC", text):
            raise InvalidInput("email has compatibility characters", text="This is not an email address")
        parts = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise InvalidInput("email is not valid", text="This is not an email address") from None
    domain = (parts.ascii_domain or parts.domain).lower()
    return EmailAddress(parts.normalized, f"{parts.local_part.lower()}@{domain}")


def canonical_email(text: str) -> str:
    """The canonical form of an address that was typed to log in; empty, which no account has, if it is none."""
    try:
        return parse_email(text).canonical
    except InvalidInput:
        return ""
