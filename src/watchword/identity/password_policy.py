"""What a new password must be: long, not common, not the user's address (NIST SP 800-63B-4 §3.1.1)."""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Final

from watchword.crypto.passwords import MAX_PASSWORD_BYTES
from watchword.errors import WeakPassword
from watchword.identity.breached_passwords import BreachedPasswords

_SHORTEST_UNIT: Final = 4


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Judges new passwords; ones in use are never judged again.

    Attributes:
        min_length: In characters.
        breached: Who knows passwords that were leaked, if anybody is asked.
    """

    min_length: int
    breached: BreachedPasswords | None = None

    async def check(self, password: str, *, email: str) -> None:
        """Accept a password, or say why not.

        Args:
            password: Exactly as received.
            email: The user's address.

        Raises:
            WeakPassword: Its text says which rule, and never repeats the password.
        """
        # The first look loads the list, which takes longer than an event loop should be held.
        common = await asyncio.to_thread(common_passwords)
        if reason := _objection(password, email=email, min_length=self.min_length, common=common):
            raise WeakPassword(text=reason)
        if self.breached is not None and await self.breached.knows(password):
            raise WeakPassword(text="This password was in a leak of another site: choose another")


def _objection(password: str, *, email: str, min_length: int, common: frozenset[str]) -> str | None:
    """What speaks against a password; None if nothing does."""
    if len(password) < min_length:
        return f"The password needs at least {min_length} characters"
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        return f"The password may have at most {MAX_PASSWORD_BYTES} bytes"
    folded = password.casefold()
    unit = _repeated_unit(folded)
    if len(unit) < _SHORTEST_UNIT or _is_common(folded, common) or _is_common(unit, common):
        return "This password is one of the first that are tried: choose another"
    if unit in {email.casefold(), email.casefold().partition("@")[0]}:
        return "The password must not be your email address"
    return None


def _repeated_unit(text: str) -> str:
    """The part that the text repeats, or the whole text."""
    return text[: (text + text).find(text, 1)]


def _is_common(text: str, common: frozenset[str]) -> bool:
    """Whether a text is a common password, or two of them one after the other.

    Hardly a password of the list is as long as new ones have to be; those that are commonest among the long ones are
    made this way.
    """
    return text in common or any(text[:place] in common and text[place:] in common for place in range(1, len(text)))


@cache
def common_passwords() -> frozenset[str]:
    """Some 30,000 passwords that are tried first, from the lists of zxcvbn. Loaded at the first use."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
