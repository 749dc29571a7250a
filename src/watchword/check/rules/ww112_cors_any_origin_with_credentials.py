"""WW112: pages of any origin may call the app with the visitor's cookies, and read the answers."""

import ast
import re
import sys
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from fastapi.security import APIKeyCookie, HTTPBasic
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from watchword.check.callables import name_of
from watchword.check.credentials import CONNECTIONS, is_credential
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import Node, Source, argument, arguments
from watchword.check.subject import Subject

_STRANGER: Final = "https://attacker.example"
_OF_ONE_LOGIN: Final = re.compile(r"state|nonce|verifier", re.IGNORECASE)
_POSITIONS: Final = ("allow_origins", "allow_methods", "allow_headers", "allow_credentials", "allow_origin_regex")
_SAME_SITE_POSITION: Final = 8
_NO_APPS: Final = frozenset({"fastapi", "starlette", "watchword"})


class _Login(IntEnum):
    """What browsers send by themselves that the app takes as a login; the more sites they send it from, the higher."""

    NONE = 0
    OF_THE_SITE = 1  # a cookie whose SameSite is, or may be, Lax or Strict
    UNKNOWN = 2  # a cookie that somebody else sets, or a setting describes
    OF_ANY_SITE = 3


def check(subject: Subject) -> Iterator[Found]:
    """Each such middleware of the app and of those mounted in it."""
    seen: set[int] = set()
    wrapping = (middleware for route in subject.routes for middleware in route.middleware)
    for middleware in (*subject.app.user_middleware, *wrapping):
        if id(middleware) in seen or not _is_cors(middleware):
            continue
        seen.add(id(middleware))
        given = dict(zip(_POSITIONS, middleware.args, strict=False)) | dict(middleware.kwargs)
        if given.get("allow_credentials") and (allows := _any_origin(given)) is not None:
            yield _found(subject, allows)


def _found(subject: Subject, allows: str) -> Found:
    call = _call(subject)
    location = subject.app_location if call is None else call.location
    opened = f"CORS with {allows} and allow_credentials=True lets a page of any origin act as its visitor"
    allowed = f"CORS allows any origin with credentials ({allows})"
    match _login(subject):
        case _Login.OF_ANY_SITE:
            is_fixed = call is not None and _is_fixed(call, allows.partition("=")[0], subject)
            return Found(location, opened, Certainty.CERTAIN if is_fixed else Certainty.LIKELY)
        case _Login.UNKNOWN:
            return Found(location, f"{opened}, unless its login cookie is SameSite=Lax or Strict", Certainty.LIKELY)
        case _Login.OF_THE_SITE:
            message = f"{allowed}; SameSite on its login cookie is what can keep pages of other sites out"
        case _Login.NONE:
            message = f"{allowed}; no cookie login was found that it would open"
    return Found(location, message, Certainty.POSSIBLE, severity=Severity.NOTE)


def _is_fixed(call: Node[ast.Call], name: str, subject: Subject) -> bool:
    """Whether an argument is written in the code, and is no setting that may be another one elsewhere."""
    value = argument(call.syntax, name)
    if not isinstance(value, ast.Name | ast.List | ast.Tuple | ast.Constant):
        return False
    return subject.sources.constant(call.source.node(value)) is not ...


def _is_cors(middleware: Middleware) -> bool:
    kind: Any = middleware.cls
    return isinstance(kind, type) and issubclass(kind, CORSMiddleware)


def _any_origin(given: dict[str, Any]) -> str | None:
    """Which argument lets any origin in: Starlette names the asking origin then, as `*` is no answer with cookies."""
    if "*" in (given.get("allow_origins") or ()):
        return 'allow_origins=["*"]'
    pattern = given.get("allow_origin_regex")
    if pattern and re.fullmatch(pattern, _STRANGER):
        return f"allow_origin_regex={pattern!r}"
    return None


def _login(subject: Subject) -> _Login:
    """What a browser sends that the app takes as a login: what it sets itself, else what it reads."""
    dependencies = [dependency for route in subject.routes for dependency in route.all_dependencies()]
    if any(isinstance(dependency.call, HTTPBasic) for dependency in dependencies):
        return _Login.OF_ANY_SITE
    calls = list(subject.sources.all(ast.Call))
    cookies = [*_sessions(subject), *(_set(call, subject) for call in calls if _sets_login_cookie(call, subject))]
    if cookies:
        return max(cookies)
    guards = (guard for route in subject.routes for guard in subject.protection(route).guards)
    reads = (
        any(isinstance(dependency.call, APIKeyCookie) for dependency in dependencies)
        or any(re.search(r"\(.*\b(cookie|session)\b", guard.by) for guard in guards)
        or any(_hands_cookies_on(call.syntax) for call in calls)
    )
    return _Login.UNKNOWN if reads else _Login.NONE


def _sessions(subject: Subject) -> Iterator[_Login]:
    """The cookies of sessions that the app reads; else they are but a library's, for the time of a login elsewhere."""
    if not any(n.source.name_of(n.syntax) == "request.session" for n in subject.sources.all(ast.Attribute)):
        return
    for middleware in {id(m): m for route in subject.routes for m in route.middleware}.values():
        if name_of(middleware.cls) == "SessionMiddleware":
            same_site = str(middleware.kwargs.get("same_site", "lax")).lower()
            yield _Login.OF_ANY_SITE if same_site == "none" else _Login.OF_THE_SITE


def _set(call: Node[ast.Call], subject: Subject) -> _Login:
    """From where a cookie comes back that is set there; Starlette's default is Lax."""
    value = argument(call.syntax, "samesite", _SAME_SITE_POSITION)
    if value is None:
        is_spelled_out = all(keyword.arg is not None for keyword in call.syntax.keywords)
        return _Login.OF_THE_SITE if is_spelled_out else _Login.UNKNOWN
    same_site = subject.sources.constant(call.source.node(value))
    if str(same_site).lower() != "none":  # None leaves it out, and not every browser takes that for Lax
        return _Login.OF_THE_SITE
    return _Login.UNKNOWN if isinstance(value, ast.Attribute) else _Login.OF_ANY_SITE


def _sets_login_cookie(call: Node[ast.Call], subject: Subject) -> bool:
    if not (isinstance(call.syntax.func, ast.Attribute) and call.syntax.func.attr == "set_cookie"):
        return False
    key = argument(call.syntax, "key", 0)
    name = ... if key is None else subject.sources.constant(call.source.node(key))
    text = name if isinstance(name, str) else ast.unparse(key) if key is not None else ""
    return is_credential(text) and _OF_ONE_LOGIN.search(text) is None


def _hands_cookies_on(call: ast.Call) -> bool:
    """Whether all cookies of a request go to another server, which knows whose they are."""
    match next((keyword.value for keyword in call.keywords if keyword.arg == "cookies"), None):
        case ast.Attribute(value=ast.Name(id=name), attr="cookies"):
            return name in CONNECTIONS
    return False


def _call(subject: Subject) -> Node[ast.Call] | None:
    """Where the app adds it: of several, the one that allows credentials; in other packages, if one place does."""
    own = [call for source in subject.sources.own for call in _adding(source)]
    if not own:
        others = [call for source in _others(subject) for call in _adding(source)]
        return others[0] if len(others) == 1 else None
    return next((call for call in own if argument(call.syntax, "allow_credentials") is not None), own[0])


def _adding(source: Source) -> Iterator[Node[ast.Call]]:
    """Calls that are given the middleware, such as `add_middleware`."""
    for call in source.all(ast.Call):
        if any((source.name_of(value) or "").endswith("CORSMiddleware") for value in arguments(call)):
            yield source.node(call)


def _others(subject: Subject) -> Iterator[Source]:
    """Files of other packages from which the app imports: what several apps share may add it."""
    imported = {name for source in subject.sources.own for name in source.imports.values()}
    for name in sorted(imported | {name.rpartition(".")[0] for name in imported}):
        module = sys.modules.get(name)
        names_it = any(held is CORSMiddleware for held in list(getattr(module, "__dict__", {}).values()))
        if names_it and name.partition(".")[0] not in _NO_APPS:
            source = subject.sources.file(Path(getattr(module, "__file__", None) or ""), name)
            if source is not None:
                yield source


RULE = Rule(
    id="WW112",
    name="cors-any-origin-with-credentials",
    severity=Severity.ERROR,
    summary="CORS lets any origin in, with credentials",
    why=(
        "Starlette then answers with the origin that asks. Any page that a logged-in visitor opens can call the API "
        "with the visitor's cookies and read what it says; the same-origin policy, which would prevent that, is off."
    ),
    fix="Name the origins of your front end; or leave allow_credentials out, if the login is a bearer token.",
    bad="""\
from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True)


@app.get("/visit")
def visit(response: Response):
    response.set_cookie("session", "…", httponly=True, secure=True, samesite="none")
""",
    good="""\
from fastapi import FastAPI, Response
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example.com"], allow_credentials=True)


@app.get("/visit")
def visit(response: Response):
    response.set_cookie("session", "…", httponly=True, secure=True, samesite="none")
""",
    references=("Fetch Standard, CORS protocol and credentials", "CWE-942"),
    check=check,
)
