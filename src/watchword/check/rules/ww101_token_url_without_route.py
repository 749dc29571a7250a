"""WW101: `tokenUrl` that no route answers."""

import ast
from collections.abc import Iterator

from fastapi.security import OAuth2
from starlette.applications import Starlette
from starlette.routing import Match

from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.source import arguments
from watchword.check.subject import Subject
from watchword.check.token_endpoint import token_urls


def check(subject: Subject) -> Iterator[Found]:
    """Each security scheme with such a URL, once."""
    for found in token_urls(subject):
        if found.path is not None and not _is_answered(subject.app, found.path):
            message = f"tokenUrl={found.url!r} leads to {found.path}, and no route takes a POST there"
            location = _location(subject, found.scheme, found.url) or subject.location(found.used_by)
            yield Found(location, message, Certainty.CERTAIN)


def _location(subject: Subject, scheme: OAuth2, url: str) -> Location | None:
    """Where the app makes the scheme."""
    for call in subject.sources.all(ast.Call):
        if (call.source.name_of(call.syntax.func) or "").endswith(type(scheme).__name__):
            urls = (call.source.node(value) for value in arguments(call.syntax))
            if any(subject.sources.constant(value) == url for value in urls):
                return call.location
    return None


def _is_answered(app: Starlette, path: str) -> bool:
    scope = {"type": "http", "method": "POST", "path": path, "headers": [], "root_path": ""}
    return any(route.matches(dict(scope))[0] is Match.FULL for route in app.routes)


RULE = Rule(
    id="WW101",
    name="token-url-without-route",
    severity=Severity.ERROR,
    summary="`tokenUrl` leads to no route",
    why=(
        "Swagger UI's Authorize button, and every client made from the OpenAPI document, sends the password to this "
        "URL. It is relative to the page: a prefix, a mount or a proxy's root_path moves it."
    ),
    fix="Name the route as the browser sees it from /docs: without a leading slash, with the router's prefix.",
    bad="""\
from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
router = APIRouter(prefix="/auth")
bearer = OAuth2PasswordBearer(tokenUrl="token")


@router.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...


@app.get("/me")
async def me(token: str = Depends(bearer)): ...


app.include_router(router)
""",
    good="""\
from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
router = APIRouter(prefix="/auth")
bearer = OAuth2PasswordBearer(tokenUrl="auth/token")


@router.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...


@app.get("/me")
async def me(token: str = Depends(bearer)): ...


app.include_router(router)
""",
    references=("RFC 6749 §3.2", "OpenAPI 3.1 §4.8.29"),
    check=check,
)
