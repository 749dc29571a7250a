"""WW403: scopes that are declared or asked for, and that nobody checks."""

import ast
from collections.abc import Iterator
from typing import Final, cast

from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.security import OAuth2, SecurityScopes

from watchword.check.callables import name_of
from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.routes import Dependency
from watchword.check.source import FunctionNode, Node, texts_in
from watchword.check.subject import Subject
from watchword.check.walking import walk

_OF_LOGINS: Final = frozenset({"openid", "profile", "email", "offline_access", "address", "phone", "groups"})


def check(subject: Subject) -> Iterator[Found]:
    """Schemes whose scopes no route asks for, guards that do not look, and guards that cannot."""
    yield from _declared_only(subject)
    seen: set[int] = set()
    for dependency in _all(subject):
        if id(dependency.call) not in seen:
            found = _not_looked_at(dependency, subject) or _not_seen(dependency, subject)
            if found is not None:
                seen.add(id(dependency.call))
                yield found


def _all(subject: Subject) -> list[Dependency]:
    return [dependency for route in subject.routes for dependency in route.all_dependencies()]


def _declared_only(subject: Subject) -> Iterator[Found]:
    if any(dependency.scopes for dependency in _all(subject)):
        return
    schemes = {id(d.call): d.call for d in _all(subject) if isinstance(d.call, OAuth2)}
    for scheme in schemes.values():
        flows = cast("OAuth2Model", scheme.model).flows
        declared = {s for flow in (flows.password, flows.clientCredentials) if flow for s in flow.scopes} - _OF_LOGINS
        call = _declaration(scheme, declared, subject)
        if call is None or _stands_elsewhere(declared, call, subject):
            continue
        names = ", ".join(sorted(declared))
        yield Found(call.location, f"{name_of(scheme)} declares {names}, and no route asks for any", Certainty.LIKELY)


def _declaration(scheme: OAuth2, declared: set[str], subject: Subject) -> Node[ast.Call] | None:
    """Where the app makes a scheme with these scopes."""
    if not declared:
        return None
    for call in subject.sources.all(ast.Call):
        is_made = (call.source.name_of(call.syntax.func) or "").rpartition(".")[2] == type(scheme).__name__
        if is_made and declared <= subject.sources.literals(call):
            return call
    return None


def _stands_elsewhere(declared: set[str], call: Node[ast.Call], subject: Subject) -> bool:
    """Whether code names one of the scopes, and may look for it by hand."""
    declaring = {id(node) for node in ast.walk(call.syntax)}
    for name in ast.walk(call.syntax):
        if isinstance(name, ast.Name | ast.Attribute):
            declaring |= {id(node) for node in ast.walk(subject.sources.resolve(call.source.node(name)).syntax)}
    return any(
        isinstance(text.syntax.value, str) and text.syntax.value in declared and id(text.syntax) not in declaring
        for text in subject.sources.all(ast.Constant)
    )


def _not_looked_at(dependency: Dependency, subject: Subject) -> Found | None:
    """A guard that takes `SecurityScopes` and at most writes them into its answer."""
    definition = subject.own(dependency.call) if dependency.sees_scopes else None
    if definition is None or not isinstance(definition.syntax, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    parameter = _scopes_parameter(definition)
    if parameter is None or _looks(definition, parameter):
        return None
    asked = ", ".join(sorted({scope for d in _all(subject) if d.call is dependency.call for scope in d.scopes}))
    message = f"routes ask {name_of(dependency.call)} for {asked}, and it takes SecurityScopes but never compares them"
    return Found(definition.location, message, Certainty.CERTAIN, severity=Severity.ERROR) if asked else None


def _scopes_parameter(definition: Node[FunctionNode]) -> str | None:
    arguments = definition.syntax.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        names = ast.walk(argument.annotation) if argument.annotation is not None else ()
        if any((definition.source.name_of(name) or "").endswith("SecurityScopes") for name in names):
            return argument.arg
    return None


def _looks(definition: Node[FunctionNode], parameter: str) -> bool:
    """Whether the scopes are used for more than a text, and more than to ask whether there are any."""
    source = definition.source
    for name in walk(definition.syntax):
        if not (isinstance(name, ast.Name) and name.id == parameter):
            continue
        above = list(source.parents(name))
        attribute = above[0]
        if not isinstance(attribute, ast.Attribute):
            return True  # handed on as it is
        user = above[1]
        is_text = isinstance(user, ast.FormattedValue)
        is_asked = isinstance(user, ast.If | ast.IfExp) and user.test is attribute
        if not (is_text or is_asked):
            return True
    return False


def _not_seen(dependency: Dependency, subject: Subject) -> Found | None:
    """Scopes asked of a tree in which nothing takes `SecurityScopes`."""
    tree = tuple(dependency.tree())
    if not dependency.own_scopes or any(inner.sees_scopes or inner.call is SecurityScopes for inner in tree):
        return None
    asked = sorted({s for d in _all(subject) if d.call is dependency.call for s in d.own_scopes})
    name = name_of(dependency.call)
    definition = subject.own(dependency.call)
    location = _asking(asked, subject) if definition is None else definition.location
    if location is None:
        return None
    message = f"routes ask {name} for {', '.join(asked)}, and nothing in it takes SecurityScopes: nobody checks"
    return Found(location, message, Certainty.CERTAIN, severity=Severity.ERROR)


def _asking(scopes: list[str], subject: Subject) -> Location | None:
    """Where the app asks a library's dependency for scopes."""
    for call in subject.sources.calls("fastapi.Security", "fastapi.params.Security"):
        if set(texts_in(call.syntax)) & set(scopes):
            return call.location
    return None


RULE = Rule(
    id="WW403",
    name="scopes-never-checked",
    severity=Severity.WARNING,
    summary="Scopes are declared or asked for, and nobody checks them",
    why=(
        "They look like a lock: in the docs, in the login dialog, on the route. But every token opens everything, and "
        "an application that was given read access writes."
    ),
    fix="Take SecurityScopes in the dependency that reads the token, and refuse where one of them is not in it.",
    bad="""\
from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer

app = FastAPI()


def get_user(token=Depends(HTTPBearer())):
    return token.credentials


@app.get("/orders")
def orders(user=Security(get_user, scopes=["orders:read"])): ...
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer, SecurityScopes

app = FastAPI()
GRANTED = {"some-token": {"orders:read"}}


def get_user(needed: SecurityScopes, token=Depends(HTTPBearer())):
    if not GRANTED.get(token.credentials, set()).issuperset(needed.scopes):
        raise HTTPException(403, headers={"WWW-Authenticate": 'Bearer error="insufficient_scope"'})
    return token.credentials


@app.get("/orders")
def orders(user=Security(get_user, scopes=["orders:read"])): ...
""",
    references=("OWASP ASVS 10.3.2", "RFC 6750 §3.1", "CWE-862"),
    check=check,
)
