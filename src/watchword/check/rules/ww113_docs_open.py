"""WW113: the OpenAPI document and its pages are there for everybody."""

import ast
from collections.abc import Iterator
from typing import Final

from starlette.applications import Starlette

from watchword.check.access import Access
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.purposes import guards_anything, own_routes
from watchword.check.routes import AppRoute
from watchword.check.source import Node, argument
from watchword.check.subject import Subject
from watchword.check.walking import walk

_SWITCHES: Final = ("docs_url", "redoc_url", "openapi_url")
_TELLING: Final = ("title", "description", "version", *_SWITCHES)
"""What tells one app from another, where it is written down."""
_PAGES: Final = frozenset({"fastapi.openapi.docs.get_swagger_ui_html", "fastapi.openapi.docs.get_redoc_html"})


def check(subject: Subject) -> Iterator[Found]:
    """Once for each app that guards routes and has no switch for its pages."""
    for app in subject.apps:
        shown = [route for route in subject.routes if route.app is app and _is_shown(subject, route)]
        if not shown or not _guards(subject, app):
            continue
        made_by = _made_by(subject, app)
        is_by_hand = any(not route.is_from_framework for route in shown)
        if any(_is_switched(call, is_by_hand=is_by_hand) for call in made_by):
            continue
        paths = ", ".join(route.path for route in shown)
        message = f"{paths} are open to everybody, and no setting was found that takes them away"
        if app is subject.app:
            yield Found(subject.app_location, message, Certainty.POSSIBLE)
        elif made_by:
            yield Found(made_by[0].location, message, Certainty.POSSIBLE)


def _guards(subject: Subject, app: Starlette) -> bool:
    """Whether an app is not for everybody anyway."""
    if app is subject.app:
        return guards_anything(subject)
    own = (route for route in own_routes(subject) if route.app is app)
    return any(subject.protection(route).access is not Access.PUBLIC for route in own)


def _is_shown(subject: Subject, route: AppRoute) -> bool:
    """Whether a route is the document or one of its pages, and open: those that an app puts there itself too."""
    if route.path.endswith("oauth2-redirect") or subject.protection(route).access is not Access.PUBLIC:
        return False
    return route.is_from_framework or _is_page(subject, route)


def _is_page(subject: Subject, route: AppRoute) -> bool:
    handler = subject.handler(route)
    if handler is None or any(isinstance(parent, ast.If) for parent in handler.source.parents(handler.syntax)):
        return False
    calls = (node for node in walk(handler.syntax) if isinstance(node, ast.Call))
    return any(handler.source.name_of(call.func) in _PAGES for call in calls)


def _made_by(subject: Subject, app: Starlette) -> list[Node[ast.Call]]:
    """The call that makes an app; several where nothing written down tells which."""
    calls = list(subject.sources.calls("fastapi.FastAPI", "fastapi.applications.FastAPI"))
    fitting = [call for call in calls if _fits(call, app)]
    if app is not subject.app:
        return fitting
    target = subject.target
    near = [call for call in fitting or calls if call.source.module == target.module.__name__]
    named = [call for call in near if call.source.top_level.get(target.variable) is call.syntax]
    return named or near or fitting or calls


def _fits(call: Node[ast.Call], app: Starlette) -> bool:
    """Whether an app is as a call says, as far as it says it in words."""
    is_named = any(keyword.arg in {None, "title"} for keyword in call.syntax.keywords)
    if not is_named and getattr(app, "title", "") != "FastAPI":
        return False
    given = {name: argument(call.syntax, name) for name in _TELLING}
    return all(
        value.value == getattr(app, name, None) for name, value in given.items() if isinstance(value, ast.Constant)
    )


def _is_switched(call: Node[ast.Call], *, is_by_hand: bool) -> bool:
    """Whether where the pages are depends on something, or one of them is taken away and not put back by hand."""
    if any(keyword.arg is None for keyword in call.syntax.keywords):
        return True  # **settings
    given = [value for name in _SWITCHES if (value := argument(call.syntax, name)) is not None]
    if not all(isinstance(value, ast.Constant) for value in given):
        return True
    return not is_by_hand and any(isinstance(value, ast.Constant) and not value.value for value in given)


RULE = Rule(
    id="WW113",
    name="docs-open",
    severity=Severity.NOTE,
    summary="`/docs` and `/openapi.json` are open in production",
    why=(
        "They list every route with its parameters, those of administrators too. For a public API that is the point; "
        "for one that only your own front end uses it is a map for whoever looks for a way in."
    ),
    fix="Let a setting say whether openapi_url is there: without it there are no pages either.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders(): ...
""",
    good="""\
import os

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI(openapi_url="/openapi.json" if os.environ.get("DOCS") else None)


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders(): ...
""",
    references=("OWASP ASVS 13.4.5", "OWASP API9:2023"),
    check=check,
)
