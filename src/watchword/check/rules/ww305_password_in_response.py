"""WW305: a password, or its hash, in an answer."""

import ast
import re
import typing
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import SecretBytes, SecretStr

from watchword.check.call_graph import nodes_of
from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.password_calls import PASSWORD_HASH
from watchword.check.response_models import model_fields
from watchword.check.routes import AppRoute
from watchword.check.source import Node
from watchword.check.subject import Subject

_PASSWORD: Final = re.compile(r"password|passwd|pwd", re.IGNORECASE)
_HARMLESS: Final = (bool, type(None), SecretStr, SecretBytes)
_MASK: Final = re.compile(r"mask|redact|obfuscat|\*{3}", re.IGNORECASE)
_DEPTH: Final = 5  # from model to model
_QUERIES: Final = frozenset({"query", "get", "get_or_404", "scalar", "scalars", "select", "execute"})


def check(subject: Subject) -> Iterator[Found]:
    """Each model with such a field that a route answers with, once."""
    seen: set[object] = set()
    for route in subject.routes:
        if subject.handler(route) is None:
            continue
        model = getattr(route.route, "response_model", None)
        if model is not None:
            for leaking, name in _in_model(model, _left_out(route)):
                if _is_left_unset(route, leaking, name) or _is_masked(subject, name):
                    continue
                if leaking not in seen and (node := subject.own(leaking)) is not None:
                    seen.add(leaking)
                    message = f"{route.name} answers {leaking.__name__} with its field {name}"
                    if PASSWORD_HASH.fullmatch(name):
                        yield Found(_field(node, name), message, Certainty.CERTAIN)
                    else:  # it may be a connection's, or one that was made up for a guest
                        yield Found(_field(node, name), message, Certainty.LIKELY, severity=Severity.WARNING)
        else:
            for owner, name, location in _returned(subject, route):
                if owner.syntax not in seen:
                    seen.add(owner.syntax)
                    message = f"{route.name} answers {owner.syntax.name} with its field {name}"
                    yield Found(location, message, Certainty.LIKELY)


def _left_out(route: AppRoute) -> set[str]:
    excluded = getattr(route.route, "response_model_exclude", None) or ()
    return {name for name in excluded if isinstance(name, str)}


def _is_left_unset(route: AppRoute, model: type[Any], name: str) -> bool:
    """Whether a plain password, which nobody can have kept, is left out where nothing sets it."""
    leaves_out = getattr(route.route, "response_model_exclude_unset", False)
    return bool(leaves_out and PASSWORD_HASH.fullmatch(name) is None and not model.model_fields[name].is_required())


def _is_masked(subject: Subject, name: str) -> bool:
    """Whether the app puts something else in the place of a plain password."""
    if PASSWORD_HASH.fullmatch(name) is not None:
        return False
    for node in subject.sources.all(ast.Dict):
        for key, value in zip(node.syntax.keys, node.syntax.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == name and _MASK.search(ast.unparse(value)):
                return True
    return False


def _in_model(annotation: Any, left_out: set[str], depth: int = 0) -> Iterator[tuple[type[Any], str]]:  # noqa: ANN401
    """The models in a type that have such a field and show it; each class that declares it once."""
    if depth > _DEPTH:
        return
    for inner in get_args(annotation):
        yield from _in_model(inner, left_out, depth + 1)
    fields = model_fields(annotation)
    if fields is None:
        return
    if not hasattr(annotation, "model_fields"):  # one of pydantic 1
        return
    hidden = left_out | _serialized_otherwise(annotation)
    for name, field in fields.items():
        if name in hidden or field.exclude:
            continue
        if _is_of_password(name) and not _is_harmless(field.annotation):
            yield _declaring(annotation, name), name
        elif field.annotation is not annotation:
            yield from _in_model(field.annotation, set(), depth + 1)


def _is_of_password(name: str) -> bool:
    return PASSWORD_HASH.fullmatch(name) is not None or _PASSWORD.fullmatch(name) is not None


def _is_harmless(annotation: Any) -> bool:  # noqa: ANN401 — any type
    kinds = get_args(annotation) if typing.get_origin(annotation) is not None else (annotation,)
    inner = [get_args(kind)[0] if typing.get_origin(kind) is typing.Annotated else kind for kind in kinds]
    if typing.get_origin(annotation) is typing.Literal:
        return True
    return all(kind in _HARMLESS or model_fields(kind) is not None for kind in inner)  # a model has fields of its own


def _serialized_otherwise(model: type[Any]) -> set[str]:
    """Fields that a serializer or validator of the model's own may rewrite; all of them, if it rewrites the model."""
    decorators = model.__pydantic_decorators__
    rewriting = (*decorators.field_serializers.values(), *decorators.field_validators.values())
    names = {name for found in rewriting for name in found.info.fields}
    return names | set(model.model_fields) if decorators.model_serializers or "*" in names else names


def _declaring(model: type[Any], name: str) -> type[Any]:
    """The class that gives a model a field: a base of several models is mended once."""
    own = [cls for cls in model.__mro__ if name in vars(cls).get("__annotations__", {})]
    return own[0] if own else model


def _field(owner: Node[Any], name: str) -> Location:
    for statement in owner.syntax.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=known)) if known == name:
                return owner.source.location(statement)
    return owner.location


def _returned(subject: Subject, route: AppRoute) -> Iterator[tuple[Node[Any], str, Location]]:
    """What a handler without a response model returns, where that is an object of a class with such a field."""
    handler = subject.handler(route)
    if handler is None or getattr(handler.syntax, "returns", None) is not None:
        return
    for node in nodes_of(handler, ast.Return):
        value = node.syntax.value
        owner = _class_of(subject, handler, value) if isinstance(value, ast.Name) else None
        if owner is None:
            continue
        for statement in owner.syntax.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]) if (
                    _is_of_password(name)
                ):
                    yield owner, name, node.location


def _class_of(subject: Subject, handler: Node[Any], value: ast.Name) -> Node[ast.ClassDef] | None:
    """The class of an object: by its annotation or making, or as it was asked of the database."""
    found = subject.calls.type_of(handler.source.node(value))
    if found is not None and isinstance(found.syntax, ast.ClassDef):
        return found
    assigned = handler.source.assigned_in(handler.syntax).get(value.id)
    for call in ast.walk(assigned) if assigned is not None else ():
        match call:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if name in _QUERIES:
                model = subject.sources.resolve(handler.source.node(first))
                if isinstance(model.syntax, ast.ClassDef):
                    return model
    return None


RULE = Rule(
    id="WW305",
    name="password-in-response",
    severity=Severity.ERROR,
    summary="A password or its hash is in a response",
    why=(
        "Everything an answer holds ends up in browsers, caches, logs and other people's tools. A hash is guessed at "
        "offline, at leisure; administrators need it as little as anybody."
    ),
    fix="Answer with a model of its own that has no such field.",
    bad="""\
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class User(BaseModel):
    name: str
    hashed_password: str


@app.get("/users/{name}")
def user(name: str) -> User: ...
""",
    good="""\
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class PublicUser(BaseModel):
    name: str


class User(PublicUser):
    hashed_password: str


@app.get("/users/{name}")
def user(name: str) -> PublicUser: ...
""",
    references=("CWE-201", "CWE-522"),
    check=check,
)
