"""Time-based one-time codes (RFC 6238: SHA-1, 6 digits, 30 s), as every authenticator app makes them.

pyotp and segno are imported where they are used: an app whose users have no second factor loads neither.
"""

import base64
import hmac
import io
import secrets
from typing import Final

STEP_SECONDS: Final = 30
DIGITS: Final = 6
_SEED_BYTES: Final = 20  # RFC 4226 §4: 160 bits are recommended
_DRIFT: Final = 1  # steps before and after that are taken, for clocks that differ and codes that travel (RFC 6238 §5.2)


def new_secret() -> str:
    """Make a seed: 160 random bits in base32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(_SEED_BYTES)).decode("ascii")


def matching_step(secret: str, code: str, *, now: float) -> int | None:
    """The time step whose code this is, at most one before or after the current one; None if it is of none.

    Args:
        secret: The seed in base32.
        code: Six ASCII digits.
        now: Unix time in seconds.
    """
    from pyotp import TOTP

    totp = TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
    current = int(now) // STEP_SECONDS
    found = None
    for step in range(max(0, current - _DRIFT), last_step_taken(now) + 1):  # all of them, and each in constant time
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def last_step_taken(now: float) -> int:
    """The latest time step whose code is taken at this time (Unix time in seconds)."""
    return int(now) // STEP_SECONDS + _DRIFT


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """What an authenticator app reads from a QR code: `otpauth://totp/…`.

    Args:
        secret: The seed in base32.
        account: The user's email.
        issuer: Who they log in to; the app shows both.
    """
    from pyotp import TOTP

    uri: str = TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)
    return uri


def qr_svg(text: str) -> str:
    """A text as a QR code: an `<svg>` element, to be put in a page or in a file."""
    import segno

    image = io.BytesIO()
    segno.make_qr(text).save(image, kind="svg", scale=4, border=4, xmldecl=False, nl=False, light="white")
    return image.getvalue().decode("utf-8")
