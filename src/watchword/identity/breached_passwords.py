"""Passwords that were leaked elsewhere, asked about so that the one who is asked does not learn which.

Of the password's SHA-1 the first five of forty characters leave the process; what comes back are some hundred endings,
with others that mean nothing between them, so that its length tells nothing either (https://haveibeenpwned.com/API/v3).
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from typing import Final

_log: Final = logging.getLogger("watchword.breached_passwords")
_SENT: Final = 5
_TIMEOUT_SECONDS: Final = 2.0
_AWAY_SECONDS: Final = 30.0
_LONGEST_ANSWER: Final = 1_000_000


class BreachedPasswords:
    """Asks a range API.

    Args:
        url: Its address, which the five characters are added to.
        monotonic: Seconds that only go up.
    """

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url.rstrip("/")
        self._monotonic = monotonic
        self._ask_at = float("-inf")

    async def knows(self, password: str) -> bool:
        """Whether a password was leaked. False too where nobody answers in time: then the other rules decide."""
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        if self._monotonic() < self._ask_at:
            return False
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                answer = await asyncio.to_thread(_fetch, f"{self._url}/{digest[:_SENT]}")
        except (OSError, ValueError) as error:  # ValueError: it does not speak HTTP, or not in ASCII
            # Not asked again for a while: each would hold up a sign-up, and a thread.
            self._ask_at = self._monotonic() + _AWAY_SECONDS
            _log.warning("new passwords are not checked against leaks: %s", type(error).__name__)
            return False
        counts = dict(line.strip().partition(":")[::2] for line in answer.splitlines())
        return counts.get(digest[_SENT:], "0") not in {"0", ""}  # what pads the answer is said to have leaked 0 times


def _fetch(url: str) -> str:
    # The standard library's client: it logs no addresses, and minds the environment's proxies.
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    request = Request(url, headers={"Add-Padding": "true", "User-Agent": "watchword"})  # noqa: S310 — the settings take http and https alone
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310
            body: bytes = response.read(_LONGEST_ANSWER)
    except HTTPException as error:
        raise OSError from error
    return body.decode("ascii")
