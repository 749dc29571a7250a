"""A template and what fills it → the answer, with all that keeps a page ours."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote_from_bytes, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from watchword.http.pages.form_tokens import FormToken
from watchword.http.pages.texts import texts_for
from watchword.http.use_cases import use_cases
from watchword.model import BrowserSession

SAFE: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer of a page's address carries."""
_IN_A_QUERY: Final = "!$%&'()*+,/:;=?@[]"  # beside letters, digits and -._~
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


def page(
    request: Request,
    name: str,
    status: int = 200,
    *,
    session: BrowserSession | None = None,
    headers: Mapping[str, str] | None = None,
    script: bool = False,
    **context: object,
) -> Response:
    """Render a page.

    Args:
        request: What asked for it.
        name: Of the template: `login.html`.
        status: Of the answer.
        session: The login whose page it is: its forms are good with that login alone. None for pages that anybody sees.
        headers: More of them.
        script: Whether it loads our script, which takes a mailed token out of the address.
        **context: What fills the template.
    """
    theme, texts, form_token = use_cases(request).pages, texts_for(request), FormToken(request, session)

    def asset(name: str) -> str:
        return address(request, f"/pages/{name}", f"v={theme.assets[name].version}")

    values = {
        "t": texts,
        "product": theme.product,
        "has_logo": theme.logo is not None,
        "sends_mail": theme.sends_mail,
        "min_password_length": theme.min_password_length,
        "at": lambda path: address(request, path, query_of(request)),
        "at_path": lambda path: address(request, path),
        "asset": asset,
        "form_token": form_token,
        "moment": _moment,
        "session": session,
        "script": script,
        **context,
    }
    html = theme.environment.get_template(name).render(values)
    response = HTMLResponse(html, status, {**SAFE, "Cache-Control": "no-store", **(headers or {})})
    response.headers["Content-Security-Policy"] = _POLICY + ("; script-src 'self'" if script else "")
    response.headers["Content-Language"] = texts.language
    form_token.set_cookie(response)
    return response


def address(request: Request, path: str, query: str = "") -> str:
    """The path of a page of ours, as the browser sees it: below the issuer, or wherever the app is mounted.

    Args:
        request: Any request that came in by the same way.
        path: Below the prefix: `/login`.
        query: Without the question mark: that of an authorization request, mostly.
    """
    return f"{_base(request)}{path}" + (f"?{query}" if query else "")


def query_of(request: Request) -> str:
    """The query that a request came with, to go on with it: as it was, but for bytes that no address may have."""
    return quote_from_bytes(request.scope["query_string"], safe=_IN_A_QUERY)


def go_to(request: Request, path: str, query: str = "") -> Response:
    """Send the browser to another page of ours."""
    return RedirectResponse(address(request, path, query), 303, {**SAFE, "Cache-Control": "no-store"})


def _base(request: Request) -> str:
    # A proxy that takes the issuer's path off leaves no trace of it in the request.
    theme, root_path = use_cases(request).pages, request.scope.get("root_path", "")
    return f"{urlsplit(theme.origin).path or root_path}{theme.prefix}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
