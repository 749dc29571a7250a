"""WW109: a login that may be tried as often as anybody likes."""

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.callables import module_of, name_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.routes import AppRoute
from watchword.check.source import Node
from watchword.check.subject import Subject

_LIMITING: Final = re.compile(
    r"(?<!de)limit|slowapi|throttl|attempt|lock_?out|(?<!b)locked|brute|too_?many|fail(?:ed|ure)s?_?(?:login|count)|captcha|turnstile",
    re.IGNORECASE,
)
_SAYING_SO: Final = re.compile(r"too many|rate.?limit|try again later|captcha", re.IGNORECASE)
_TOO_MANY: Final = 429


def check(subject: Subject) -> Iterator[Found]:
    """Each login of the app's own around which nothing counts."""
    for route in subject.login_routes:
        if subject.handler(route) is not None and not _is_limited(subject, route):
            yield Found(subject.location(route), f"no rate limit was found around {route.name}", Certainty.POSSIBLE)


def _is_limited(subject: Subject, route: AppRoute) -> bool:
    layers = route.layers()
    calls = [*layers, *(dependency.call for dependency in route.all_dependencies())]
    if any(_LIMITING.search(f"{module_of(call)}.{name_of(call)}") for call in calls):
        return True
    own = [definition for call in layers if (definition := subject.own(call)) is not None]
    return any(_counts(definition) for definition in (*own, *subject.functions(route)))


def _counts(definition: Node[Any]) -> bool:
    """Whether a function, or a decorator of it, names anything that counts, locks or says so."""
    decorators = getattr(definition.syntax, "decorator_list", [])
    if any(_LIMITING.search(ast.unparse(decorator)) for decorator in decorators):
        return True
    for node in ast.walk(definition.syntax):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                if name != "limit" and _LIMITING.search(name):  # that of a query
                    return True
            case ast.Constant(value=str(text)):
                if _SAYING_SO.search(text):
                    return True
            case ast.Constant(value=int(number)) if number == _TOO_MANY:
                return True
    return False


RULE = Rule(
    id="WW109",
    name="no-rate-limit-in-sight",
    severity=Severity.NOTE,
    summary="No rate limit around the login",
    why=(
        "Passwords that leaked elsewhere are tried by the million, and each try costs you a slow hash: whoever "
        "guesses here also takes you down."
    ),
    fix=(
        "Count failures by account and by address, and make them wait; for all routes at once in a proxy. "
        "If your proxy does it, say so in a comment: `# watchword: ignore[WW109] nginx limits it`."
    ),
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...
""",
    good="""\
from fastapi import Depends, FastAPI, Request
from fastapi.security import OAuth2PasswordRequestForm
from slowapi import Limiter
from slowapi.util import get_remote_address

app = FastAPI()
limiter = app.state.limiter = Limiter(key_func=get_remote_address)


@app.post("/token")
@limiter.limit("5/minute")
async def token(request: Request, form: OAuth2PasswordRequestForm = Depends()): ...
""",
    references=("OWASP ASVS 6.3.1", "CWE-307"),
    check=check,
)
