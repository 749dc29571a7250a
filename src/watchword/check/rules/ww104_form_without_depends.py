"""WW104: the login form's class where `Depends()` was forgotten."""

import ast
from collections.abc import Iterator
from typing import Final

from watchword.check.functions import defaults, parameters
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node, arguments
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_FORMS: Final = ("OAuth2PasswordRequestForm", "OAuth2PasswordRequestFormStrict")
_REGISTERING: Final = frozenset({"get", "post", "put", "patch", "delete", "api_route", "add_api_route", "Depends"})


def check(subject: Subject) -> Iterator[Found]:
    """Each parameter of a route or dependency that takes the class as if FastAPI could read it by itself.

    FastAPI refuses most of them when the route is made, which the loader reports; here are those that it reads from the
    query, and those in routes that are only made in another configuration.
    """
    sources = subject.sources
    given = _given_to_fastapi(sources)
    for function in sources.functions():
        if not (_is_decorated_route(function) or function.syntax in given):
            continue
        for parameter in parameters(function.syntax):
            default = defaults(function.syntax).get(parameter.arg)
            form = _form(sources, function, parameter.annotation) or _form(sources, function, default)
            if form is not None and not _depends(sources, function, parameter.annotation, default):
                message = f"{function.syntax.name} takes {parameter.arg}, an {form}, without Depends()"
                yield Found(function.source.location(parameter), message, Certainty.CERTAIN)


def _form(sources: Sources, user: Node[FunctionNode | ast.ClassDef], place: ast.expr | None) -> str | None:
    """The form's name, if an annotation or default is that class or one made of it."""
    match place:
        case ast.Subscript(slice=ast.Tuple(elts=[first, *_])):
            place = first
        case ast.BinOp(left=left):
            place = left
    if not isinstance(place, ast.Name | ast.Attribute):
        return None
    found = sources.resolve(user.source.node(place))
    if isinstance(found.syntax, ast.ClassDef):
        bases = (_form(sources, found, base) for base in found.syntax.bases)
        return found.syntax.name if any(bases) else None
    name = (found.source.name_of(found.syntax) or "").rpartition(".")[2]
    return name if name in _FORMS else None


def _depends(sources: Sources, function: Node[FunctionNode], *places: ast.expr | None) -> bool:
    calls = (node for place in places if place is not None for node in ast.walk(place))
    return any(isinstance(sources.resolve(function.source.node(call)).syntax, ast.Call) for call in calls)


def _is_decorated_route(function: Node[FunctionNode]) -> bool:
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr in _REGISTERING
        for d in function.syntax.decorator_list
    )


def _given_to_fastapi(sources: Sources) -> set[ast.AST]:
    """Functions that are passed to `Depends` or `add_api_route`."""
    return {
        sources.resolve(call.source.node(value)).syntax
        for call in sources.all(ast.Call)
        if (call.source.name_of(call.syntax.func) or "").rpartition(".")[2] in {"Depends", "Security", "add_api_route"}
        for value in arguments(call.syntax)
        if isinstance(value, ast.Name | ast.Attribute)
    }


RULE = Rule(
    id="WW104",
    name="form-without-depends",
    severity=Severity.ERROR,
    summary="`OAuth2PasswordRequestForm` without `Depends()`",
    why=(
        "It is no model but a dependency with form fields of its own. Without `Depends()` FastAPI fails when the route "
        "is made, or reads one parameter of that name from the query and never sees the form."
    ),
    fix="Write `form: Annotated[OAuth2PasswordRequestForm, Depends()]`.",
    bad="""\
from fastapi import FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form=OAuth2PasswordRequestForm): ...
""",
    good="""\
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]): ...
""",
    references=("RFC 6749 §4.3.2",),
    check=check,
)
