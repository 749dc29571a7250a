"""WW201: a bearer token that nothing verifies."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2

from watchword.check import walking
from watchword.check.callables import is_scheme, name_of, package_of
from watchword.check.functions import is_function
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.routes import AppRoute, Dependency
from watchword.check.source import FunctionNode, Node
from watchword.check.subject import Subject
from watchword.check.token_flow import Outcome, hands_on_request, outcome, reads_header, token_parameters

_Outcomes = dict[tuple[ast.AST, frozenset[str]], Outcome]


def check(subject: Subject) -> Iterator[Found]:
    """Each dependency that takes a token and does nothing with it; the handlers of a scheme that do, together."""
    outcomes: _Outcomes = {}  # most routes have the same guard
    walks = [_Walk.of(route, subject, outcomes) for route in subject.routes if not route.is_from_framework]
    elsewhere = {function.syntax for walk in walks if walk.may_be_verified for function in walk.dependencies}
    dependencies: dict[Any, Node[FunctionNode]] = {}
    handlers: dict[int, list[_Walk]] = {}
    for walk in walks:
        if walk.may_be_verified or not walk.takes_token:
            continue
        cause = next((function for function in walk.dependencies if function.syntax not in elsewhere), None)
        if cause is not None:
            dependencies.setdefault(cause.syntax, cause)
        elif walk.scheme is not None and getattr(walk.scheme, "auto_error", True) and subject.handler(walk.route):
            handlers.setdefault(id(walk.scheme), []).append(walk)
    for function in dependencies.values():
        message = f"{function.syntax.name} takes a bearer token, and neither it nor what uses it verifies the token"
        yield Found(function.location, message, Certainty.LIKELY, function.syntax.name)
    for group in handlers.values():
        first, more = group[0].route, len(group) - 1
        names = first.name if not more else f"{first.name} and {more} more route{'s' * (more > 1)}"
        message = f"{names} let in whoever sends any token at all: nothing verifies it"
        yield Found(subject.location(first), message, Certainty.LIKELY, first.name)


@dataclass
class _Walk:
    """A token's way through the dependencies of a route.

    Attributes:
        route: It.
        subject: The app.
        outcomes: What functions were seen to do with a token.
        may_be_verified: Something on the way verifies it, or cannot be read.
        takes_token: A token is taken at all.
        dependencies: The app's own functions before the handler that are given the token.
        scheme: What takes it from the request.
    """

    route: AppRoute
    subject: Subject
    outcomes: "_Outcomes"
    may_be_verified: bool = False
    takes_token: bool = False
    dependencies: list[Node[FunctionNode]] = field(default_factory=list)
    scheme: object | None = None

    @classmethod
    def of(cls, route: AppRoute, subject: Subject, outcomes: "_Outcomes") -> "_Walk":
        walk = cls(route, subject, outcomes)
        walk.may_be_verified = any(walk._reads(layer) for layer in route.layers())
        tokens = {dependency.name for dependency in route.dependencies if walk._through(dependency)}
        walk._function(route.endpoint, frozenset(name for name in tokens if name), is_handler=True)
        return walk

    def _reads(self, middleware: Any) -> bool:  # noqa: ANN401 — a function or a class
        """Whether a middleware may verify tokens."""
        name = name_of(middleware)
        reads = self.subject.behaviours.of(middleware).reads
        return name == "AuthenticationMiddleware" or (package_of(middleware) != "starlette" and bool(reads))

    def _through(self, dependency: Dependency) -> bool:
        """Whether what a dependency returns is the token."""
        call = dependency.call
        if is_scheme(call):
            is_fastapis = type(call).__module__.startswith("fastapi.security")
            is_bearer = is_fastapis and isinstance(call, OAuth2 | HTTPBearer | APIKeyHeader)
            self.may_be_verified |= not is_bearer
            self.takes_token |= is_bearer
            self.scheme = call if is_bearer else self.scheme
            return is_bearer
        tokens = {inner.name for inner in dependency.dependencies if self._through(inner)}
        return self._function(call, frozenset(name for name in tokens if name), is_handler=False)

    def _function(self, call: Any, tokens: frozenset[str], *, is_handler: bool) -> bool:  # noqa: ANN401 — as above
        definition = self.subject.own(call)
        if definition is None or not is_function(definition.syntax):
            behaviour = self.subject.behaviours.of(call)
            is_unknown = self.subject.sources.definition(call) is None
            self.may_be_verified |= bool(tokens) or is_unknown or behaviour.refuses or bool(behaviour.reads)
            return False
        self.may_be_verified |= hands_on_request(definition)
        own = token_parameters(definition)
        refuses = self.subject.behaviours.of(call).refuses
        reads = bool(own) or any(reads_header(node) for node in walking.walk(definition.syntax))
        if not tokens and not reads:
            self.may_be_verified |= refuses and not is_handler
            return False
        if not tokens and not refuses:  # it reads the header, and keeps nobody out
            return False
        self.takes_token = True
        key = (definition.syntax, tokens | own)
        if key not in self.outcomes:
            self.outcomes[key] = outcome(definition, tokens | own, self.subject.sources)
        result = self.outcomes[key]
        self.may_be_verified |= result.may_be_verified
        if not is_handler:
            self.dependencies.append(definition)
        return result.is_returned


RULE = Rule(
    id="WW201",
    name="token-never-verified",
    severity=Severity.ERROR,
    summary="A bearer token is taken from the request and never verified",
    why=(
        "OAuth2PasswordBearer and HTTPBearer only take the token out of the header; they let every text pass. "
        "Where nothing checks it, whoever sends any token, or a user's name as one, is let in."
    ),
    fix=(
        "Verify the signature and expiry of the token, or look it up among those that were issued, before "
        "anything else."
    ),
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def current_user(token: str = Depends(bearer)):
    return {"username": token}


@app.get("/me")
def me(user: dict = Depends(current_user)):
    return user
""",
    good="""\
import os

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def current_user(token: str = Depends(bearer)):
    try:
        claims = jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    return {"username": claims["sub"]}


@app.get("/me")
def me(user: dict = Depends(current_user)):
    return user
""",
    references=("RFC 6750 §5.2", "OWASP ASVS 9.1.1", "CWE-287"),
    check=check,
)
