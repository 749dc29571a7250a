"""The cookies of our pages. Scripts cannot read them, and no other site can have them sent in a form."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from watchword.errors import NotLoggedIn
from watchword.http.use_cases import use_cases
from watchword.model import BrowserSession

SESSION: Final = "watchword_session"
"""A login at our pages."""
PENDING: Final = "watchword_pending"
"""A login that waits for its second factor."""
FORM: Final = "watchword_form"
"""What the forms that a browser is shown belong to."""


async def browser_session(request: Request) -> BrowserSession | None:
    """The login at our pages that a request comes with, if it is in force.

    Raises:
        StorageDown: The database does not answer.
    """
    return await use_cases(request).find_browser_session(cookie(request, SESSION))


async def logged_in(request: Request) -> BrowserSession:
    """The same, for pages that are for nobody else.

    Raises:
        NotLoggedIn: There is none. The route leads to the login page then.
        StorageDown: The database does not answer.
    """
    session = await browser_session(request)
    if session is None:
        raise NotLoggedIn("no login at our pages")
    return session


def set_browser_session(request: Request, response: Response, value: str) -> None:
    """Have the browser keep a login until it is closed, or the login ends."""
    set_cookie(request, response, SESSION, value)


def clear_browser_session(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    clear_cookie(request, response, SESSION)


def cookie(request: Request, name: str) -> str | None:
    """The value of a cookie of ours."""
    return request.cookies.get(_name(request, name))


def set_cookie(request: Request, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Have the browser keep one: for so long, or until it is closed."""
    response.set_cookie(
        _name(request, name),
        value,
        max_age=seconds,
        path="/",
        secure=use_cases(request).https_only,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(request: Request, response: Response, name: str) -> None:
    """Have the browser forget one."""
    response.delete_cookie(
        _name(request, name), path="/", secure=use_cases(request).https_only, httponly=True, samesite="lax"
    )


def _name(request: Request, name: str) -> str:
    # By the prefix browsers see to it that no other host, and nobody on plain HTTP, has set it (RFC 6265bis §4.1.3).
    return f"__Host-{name}" if use_cases(request).https_only else name
