"""The tokens in our forms, by which we know a form for ours: no other site can have a browser send one (CSRF)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from watchword.crypto import base64url
from watchword.errors import ForgedForm
from watchword.grants import Parameters
from watchword.http.forms import read_fields
from watchword.http.pages.cookies import FORM, cookie, set_cookie
from watchword.http.use_cases import use_cases
from watchword.model import BrowserSession

FIELD: Final = "form_token"
_COOKIE_BYTES: Final = 32


async def read_page_form(request: Request, session: BrowserSession | None = None) -> Parameters:
    """Read a form of ours.

    Args:
        request: A POST.
        session: The login that the form was shown to; None where it was shown to a browser, logged in or not.

    Raises:
        ForgedForm: It is not ours, or of another login, or was left open for too long.
        InvalidRequest: It is no form, or ambiguous.
    """
    _refuse_other_origins(request)
    parameters = await read_fields(request)
    bound_to = _bound_to(session) if session is not None else _bound_to_browser(cookie(request, FORM))
    keys = use_cases(request).pages.form_keys
    presented = (parameters.optional(FIELD) or "").encode()
    if bound_to is None or not any(hmac.compare_digest(_token(key, bound_to), presented) for key in keys):
        raise ForgedForm("a form without the token that it was shown with")
    return parameters


@dataclass
class FormToken:
    """The token that the forms of one page carry.

    Attributes:
        session: The login that the page is shown to; None where it is shown to a browser, logged in or not.
    """

    request: Request
    session: BrowserSession | None
    _new_cookie: str | None = field(default=None, repr=False)

    def __call__(self) -> str:
        """The token; with the first one a browser is given the cookie that it belongs to."""
        bound_to = _bound_to(self.session) if self.session is not None else self._bound_to_browser()
        return _token(use_cases(self.request).pages.form_keys[0], bound_to).decode()

    def set_cookie(self, response: Response) -> None:
        """Give the browser that cookie, if it is new."""
        if self._new_cookie is not None:
            set_cookie(self.request, response, FORM, self._new_cookie)

    def _bound_to_browser(self) -> bytes:
        known = _bound_to_browser(cookie(self.request, FORM))
        if known is not None:
            return known
        self._new_cookie = self._new_cookie or base64url.encode(secrets.token_bytes(_COOKIE_BYTES))
        return b"browser\0" + self._new_cookie.encode()


def _bound_to(session: BrowserSession) -> bytes:
    return b"session\0" + session.id.bytes


def _bound_to_browser(value: str | None) -> bytes | None:
    return b"browser\0" + value.encode() if value else None


def _token(key: bytes, bound_to: bytes) -> bytes:
    return base64url.encode(hmac.digest(key, bound_to, hashlib.sha256)).encode()


def _refuse_other_origins(request: Request) -> None:
    """Refuse what a browser says comes from elsewhere.

    Our pages send no referrer, and with it browsers send `Origin: null`: that tells nothing, and the token decides.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    hosts = {request.headers.get("host"), urlsplit(use_cases(request).pages.origin).netloc}
    if site not in {"same-origin", "none"} or (origin != "null" and _netloc(origin) not in hosts):
        raise ForgedForm("a form that was sent by another site")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no browser sends such a one
        raise ForgedForm("an Origin that is no address") from None
