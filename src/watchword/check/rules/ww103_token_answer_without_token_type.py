"""WW103: a token endpoint whose answer no OAuth2 client understands."""

import ast
import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any, Final, get_args, is_typeddict

from watchword.check.call_graph import nodes_of
from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.response_models import model_fields
from watchword.check.routes import AppRoute
from watchword.check.source import Node
from watchword.check.subject import Subject
from watchword.check.token_endpoint import token_routes

_REQUIRED: Final = ("access_token", "token_type")  # RFC 6749 §5.1
_SPEAKS_OF_A_TOKEN: Final = ("token", "jwt", "access")


def check(subject: Subject) -> Iterator[Found]:
    """Each route that a `tokenUrl` leads to and whose answer lacks one of them."""
    for _url, route in token_routes(subject):
        for location, what, names in _answers(subject, route):
            missing = [name for name in _REQUIRED if name not in names]
            if missing:
                yield Found(location, f"{route.name} answers {what} without {' and '.join(missing)}", Certainty.CERTAIN)
            break


def _answers(subject: Subject, route: AppRoute) -> Iterator[tuple[Location, str, set[str]]]:
    """What it answers and the names in it, as far as they can be read; what fits best comes first."""
    model = getattr(route.route, "response_model", None)
    models = [kind for kind in _members(model) if kind is not type(None)]
    read = [(subject.location(route), getattr(kind, "__name__", ""), _fields(kind, route)) for kind in models]
    found = [(location, name, names) for location, name, names in read if names is not None]
    if len(found) < len(read):  # what cannot be read may be the answer
        found = []
    if all(typing.get_origin(kind) is dict or kind in (dict, Any) for kind in models):
        found = [
            (node.location, "a dict", names)
            for node, names in _dicts(subject, route)
            if any(word in name.lower() for name in names for word in _SPEAKS_OF_A_TOKEN)
        ]
    return iter(sorted(found, key=lambda answer: -sum(name in answer[2] for name in _REQUIRED)))


def _members(model: Any) -> tuple[Any, ...]:  # noqa: ANN401 — whatever is annotated
    """The types of a union; without a model, none."""
    if model is None:
        return ()
    return get_args(model) if typing.get_origin(model) in {typing.Union, types.UnionType} else (model,)


def _fields(model: Any, route: AppRoute) -> set[str] | None:  # noqa: ANN401 — whatever is annotated
    """The names that a model is answered with; None if it cannot be told."""
    if is_typeddict(model):
        return set(model.__annotations__)
    if dataclasses.is_dataclass(model):
        return {field.name for field in dataclasses.fields(model)}
    fields = model_fields(model)
    if fields is None or "root" in fields or model.model_config.get("extra") == "allow":
        return None
    by_alias = getattr(route.route, "response_model_by_alias", True)
    names = {(field.serialization_alias or field.alias or name) if by_alias else name for name, field in fields.items()}
    return names | set(model.model_computed_fields)


def _dicts(subject: Subject, route: AppRoute) -> Iterator[tuple[Node[ast.expr], set[str]]]:
    handler = subject.handler(route)
    for node in nodes_of(handler, ast.Return) if handler is not None else ():
        if node.syntax.value is None:
            continue
        returned = subject.sources.resolve(node.source.node(node.syntax.value))
        if isinstance(returned.syntax, ast.Dict):
            names = [key.value if isinstance(key, ast.Constant) else None for key in returned.syntax.keys]
            if all(isinstance(name, str) for name in names):
                yield returned, {str(name) for name in names}


RULE = Rule(
    id="WW103",
    name="token-answer-without-token-type",
    severity=Severity.WARNING,
    summary="The token endpoint's answer lacks `access_token` or `token_type`",
    why=(
        "Both are required in the answer of what the OpenAPI document names as `tokenUrl`. Clients that follow the "
        "standard refuse it or send no token at all, and Swagger UI shows people as logged in who are not."
    ),
    fix='Answer `{"access_token": …, "token_type": "bearer"}`; further fields may stand beside them.',
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": "…"}


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    good="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": "…", "token_type": "bearer"}


@app.get("/me")
async def me(token: str = Depends(bearer)): ...
""",
    references=("RFC 6749 §5.1",),
    check=check,
)
