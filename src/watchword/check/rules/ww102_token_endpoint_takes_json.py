"""WW102: a token endpoint that reads JSON, where every client sends a form."""

import ast
from collections.abc import Iterator

from fastapi import params

from watchword.check.call_graph import nodes_of
from watchword.check.callables import name_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.routes import AppRoute
from watchword.check.subject import Subject, body_parameters
from watchword.check.token_endpoint import token_routes


def check(subject: Subject) -> Iterator[Found]:
    """Each route that a `tokenUrl` leads to and that takes a JSON body."""
    for url, route in token_routes(subject):
        certainty = _takes_json(subject, route)
        if certainty is not None:
            message = f"{route.name} is the tokenUrl of {name_of(url.scheme)} and takes JSON, where clients send a form"
            yield Found(subject.location(route), message, certainty)


def _takes_json(subject: Subject, route: AppRoute) -> Certainty | None:
    fields = [parameter.field_info for parameter in body_parameters(route)]
    if fields:
        return None if any(isinstance(field, params.Form) for field in fields) else Certainty.CERTAIN
    read = {
        call.syntax.func.attr
        for function in subject.functions(route)
        for call in nodes_of(function, ast.Call)
        if isinstance(call.syntax.func, ast.Attribute) and not call.syntax.args
    }
    return Certainty.LIKELY if "json" in read and not read & {"form", "body"} else None


RULE = Rule(
    id="WW102",
    name="token-endpoint-takes-json",
    severity=Severity.WARNING,
    summary="The token endpoint takes JSON, not a form",
    why=(
        "What the OpenAPI document names as `tokenUrl` is spoken to by Swagger UI's Authorize button and by every "
        "OAuth2 client, and all of them send `username` and `password` as a form. They get a 422, and people end up "
        "copying tokens by hand."
    ),
    fix="Take `OAuth2PasswordRequestForm` there; keep JSON, if a page of yours needs it, on a route of its own.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Login(BaseModel):
    username: str
    password: str


@app.post("/token")
async def token(login: Login): ...


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    good="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()): ...


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    references=("RFC 6749 §4.3.2",),
    check=check,
)
