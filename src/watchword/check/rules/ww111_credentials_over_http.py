"""WW111: nothing in sight that keeps passwords from going over plain HTTP."""

import re
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject

_KNOWS_TLS: Final = re.compile(
    r"https_?redirect|https_?only|force_?https|redirect_to_https|strict-transport|hsts|proxy_?headers|forwarded|ssl_|ssl\."
    r"|tls|certfile|url\.scheme|cookie_?secure|secure_?cookie|\bsecure\s*=\s*(?!False)|[\"']secure[\"']",
    re.IGNORECASE,
)


def check(subject: Subject) -> Iterator[Found]:
    """Once for an app with a login of its own."""
    logins = [route for route in subject.login_routes if subject.handler(route) is not None]
    if not logins or any(_KNOWS_TLS.search(source.text) for source in subject.sources.own):
        return
    kinds: list[Any] = [middleware.cls for route in logins for middleware in route.middleware]
    if any(_KNOWS_TLS.search(getattr(kind, "__name__", "")) for kind in kinds):
        return
    names = ", ".join(route.name for route in logins)
    message = f"{names} takes passwords, and no redirect to HTTPS, proxy headers, HSTS or secure cookie was found"
    yield Found(subject.app_location, message, Certainty.POSSIBLE)


RULE = Rule(
    id="WW111",
    name="credentials-over-http",
    severity=Severity.NOTE,
    summary="Passwords and tokens may go over plain HTTP",
    why=(
        "Who is on the way reads the password, and every token after it. A proxy in front may see to TLS, which nobody "
        "can tell from here; then the app should still know whether a request came by HTTPS."
    ),
    fix="Redirect to HTTPS and send Strict-Transport-Security, in the proxy or here; trust the proxy's headers only.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...
""",
    good="""\
from fastapi import Depends, FastAPI
from fastapi.middleware.httpsredirect import HTTPSRedirectMiddleware
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
app.add_middleware(HTTPSRedirectMiddleware)


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...
""",
    references=("OWASP ASVS 12.2.1", "RFC 6749 §3.2", "CWE-319"),
    check=check,
)
