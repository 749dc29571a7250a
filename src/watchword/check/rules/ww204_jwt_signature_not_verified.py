"""WW204: a token that is believed without a look at its signature."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from watchword.check.functions import assigned, callers, own_statements, parameters, passed, returned
from watchword.check.jwt_calls import DECODE, UNVERIFIED, UNVERIFIED_CLAIMS, algorithms_of, verifies_signature
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node, argument, arguments
from watchword.check.sources import Sources
from watchword.check.subject import Subject
from watchword.check.token_flow import reads_header

_OF_NOBODY: Final = frozenset({"iss", "kid", "aud", "exp", "iat", "nbf", "jti", "alg", "typ", "tid", "azp"})
"""Claims that tell no user: what is read to find the key, or to see whether a token of one's own is still good."""
_READS: Final = re.compile(r"(print|len|str|repr|isinstance|.*\blog(ger|ging)?\.\w+|\w*(Exception|Error))")
_BEHIND: Final = re.compile(
    r"\b(proxy|gateway|ingress|load balancer|already (been )?(verified|validated))", re.IGNORECASE
)
_DEPTH: Final = 4  # from function to function


def check(subject: Subject) -> Iterator[Found]:
    """Each call that reads claims and not the signature, where nothing else verifies that token."""
    sources = subject.sources
    senders = _Senders(subject)
    for call in sources.calls(*DECODE, *UNVERIFIED_CLAIMS):
        name = call.source.name_of(call.syntax.func) or ""
        how = _how(call, name, sources)
        if how is not None and _is_believed(call, sources, senders):
            is_behind = _BEHIND.search(ast.unparse(call.source.function_of(call.syntax) or call.syntax))
            message = f"{name} {how}: whoever sends a token writes its claims"
            if is_behind:
                yield Found(call.location, f"{message}, unless a proxy in front verified it", Certainty.POSSIBLE)
            else:
                yield Found(call.location, message, Certainty.LIKELY)
    for call in sources.calls(*DECODE):
        if _allows_none(call, sources):
            message = "jwt.decode takes the algorithm 'none', which is no signature"
            yield Found(call.location, message, Certainty.POSSIBLE)


def _how(call: Node[ast.Call], name: str, sources: Sources) -> str | None:
    if name in UNVERIFIED_CLAIMS:
        return "does not look at the signature"
    if not verifies_signature(call, sources):
        return "is told not to look at the signature"
    verify = argument(call.syntax, "verify")
    is_off = isinstance(verify, ast.Constant) and verify.value is False
    return "is told not to look at the signature" if is_off and name.startswith("jwt.") and _is_pyjwt_1() else None


def _is_pyjwt_1() -> bool:
    """From 2.0 on, `verify=False` does nothing: the signature is verified."""
    try:
        return version("pyjwt").startswith(("0.", "1."))
    except PackageNotFoundError:
        return False


def _allows_none(call: Node[ast.Call], sources: Sources) -> bool:
    names = algorithms_of(call, sources)
    is_named = any(isinstance(name, str) and name.lower() == "none" for name in names)
    return is_named and verifies_signature(call, sources)


def _is_believed(call: Node[ast.Call], sources: Sources, senders: "_Senders") -> bool:
    """Whether the claims are taken for true; not where the token also goes where it may be verified."""
    function = call.source.function_of(call.syntax)
    token = argument(call.syntax, "jwt", 0) or argument(call.syntax, "token", 0)
    if function is None or token is None or not senders.sent(call.source.node(token), function):
        return False
    if _goes_elsewhere(call, token, function):
        return False
    read = _claims_read(call, function)
    if read is not None and read <= _OF_NOBODY:
        return False
    definition = call.source.node(function)
    if any(_holds(value.syntax, call.syntax, function) for value in returned(definition)):
        outer = [(caller, caller.source.function_of(caller.syntax)) for caller in callers(definition, sources)]
        if any(around is not None and _verifies(caller, around) for caller, around in outer):
            return False
    return True


class _Senders:
    """Tells whether a token is what a client sent, and not what a provider answered to this very app."""

    def __init__(self, subject: Subject) -> None:
        self._sources = subject.sources
        self._entries = set[ast.AST]()
        for route in subject.routes:
            for call in route.called():
                definition = subject.own(call)
                if definition is not None:
                    self._entries.add(definition.syntax)

    def sent(self, token: Node[ast.expr], function: FunctionNode, depth: int = 0) -> bool:
        """Whether a token can be followed to the request that a handler or a dependency is given."""
        known = {parameter.arg for parameter in parameters(function)}
        waiting, names = [token.syntax], set[str]()
        for value in waiting:
            if reads_header(value):
                return True
            name = _taken_from(value)
            if name is not None and name not in names:
                names.add(name)
                waiting += assigned(function, name)
        names &= known
        if function in self._entries and names:
            return True
        definition = token.source.node(function)
        for call in callers(definition, self._sources) if names and depth < _DEPTH else ():
            values, around = passed(call.syntax, definition) or {}, call.source.function_of(call.syntax)
            passed_on = [value for name, value in values.items() if name in names]
            if around is not None and any(self.sent(call.source.node(v), around, depth + 1) for v in passed_on):
                return True
        return False


def _taken_from(value: ast.expr) -> str | None:
    """The name whose value, or a part of it, an expression is."""
    while True:
        match value:
            case ast.Call(func=ast.Attribute(value=inner, attr=method)) if method in {*dir(str), "get"}:
                value = inner
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Await(value=inner):
                value = inner
            case ast.Call(func=ast.Attribute(attr="__call__"), args=[inner, *_]):  # what a scheme makes of the request
                value = inner
            case ast.Name(id=name):
                return name
            case _:
                return None


def _goes_elsewhere(call: Node[ast.Call], token: ast.expr, function: FunctionNode) -> bool:
    spelled = ast.dump(token)
    for other in ast.walk(function):
        if not isinstance(other, ast.Call) or other is call.syntax:
            continue
        name = str(call.source.name_of(other.func) or getattr(other.func, "attr", ""))
        if name in UNVERIFIED or _READS.fullmatch(name) or any(inner is call.syntax for inner in ast.walk(other)):
            continue
        if any(ast.dump(inner) == spelled for value in arguments(other) for inner in ast.walk(value)):
            return True
    return False


def _claims_read(call: Node[ast.Call], function: FunctionNode) -> set[str] | None:
    """The claims that the function reads of the result; None where it does something else with it."""
    name = _result(call.syntax, function)
    read: set[str] = set()
    for node in ast.walk(function):
        match node:
            case (
                ast.Subscript(value=value, slice=ast.Constant(value=str(claim)))
                | ast.Call(func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(claim)), *_])
            ) if value is call.syntax or (isinstance(value, ast.Name) and value.id == name):
                read.add(claim)
    uses = sum(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(function))
    return None if uses > len(read) + 1 or not read else read


def _result(call: ast.Call, function: FunctionNode) -> str | None:
    for node in own_statements(function):
        if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name):
            return node.targets[0].id
    return None


def _holds(value: ast.expr, call: ast.Call, function: FunctionNode) -> bool:
    name = _result(call, function)
    return any(node is call or (isinstance(node, ast.Name) and node.id == name) for node in ast.walk(value))


def _verifies(caller: Node[ast.Call], around: FunctionNode) -> bool:
    """Whether the function that asks for unverified claims passes the same token on as well."""
    tokens = arguments(caller.syntax)
    return any(_goes_elsewhere(caller, token, around) for token in tokens)


RULE = Rule(
    id="WW204",
    name="jwt-signature-not-verified",
    severity=Severity.ERROR,
    summary="The claims of a token are believed without its signature",
    why=(
        "Anybody can write a token that says anything; the signature is what tells it from one that you issued. "
        "Without that check a token for any user and any role is accepted."
    ),
    fix="Verify the signature with the key of the issuer and the one algorithm it signs with.",
    bad="""\
import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.get("/me")
def me(token: str = Depends(bearer)):
    return jwt.decode(token, options={"verify_signature": False})["sub"]
""",
    good="""\
import os

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.get("/me")
def me(token: str = Depends(bearer)):
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require": ["exp", "sub"]})["sub"]
""",
    references=("RFC 7519 §7.2", "RFC 8725 §3.1", "OWASP ASVS 9.1.1", "CWE-347"),
    check=check,
)
