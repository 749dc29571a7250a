"""WW203: `jwt.decode` that lets the token say how it was signed."""

import ast
from collections.abc import Iterator
from typing import Any

from watchword.check.jwt_calls import DECODE, UNVERIFIED, hides_arguments, verifies_signature
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import Node, argument
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each call that verifies a signature and names no algorithm."""
    for call in subject.sources.calls(*DECODE):
        algorithms = argument(call.syntax, "algorithms", 2)
        is_none = isinstance(algorithms, ast.Constant) and algorithms.value is None
        is_missing = is_none or (algorithms is None and not hides_arguments(call))
        if is_missing and verifies_signature(call, subject.sources):
            yield Found(call.location, "jwt.decode without algorithms=[…]", Certainty.CERTAIN)
        elif algorithms is not None and _is_of_the_token(call.source.node(algorithms), subject):
            message = "jwt.decode takes the algorithm from the token that it verifies"
            yield Found(call.location, message, Certainty.CERTAIN)


def _is_of_the_token(algorithms: Node[ast.expr], subject: Subject) -> bool:
    """Whether one of them is read in a header that nothing has verified."""
    named = subject.sources.resolve(algorithms)
    items = named.syntax.elts if isinstance(named.syntax, ast.List | ast.Tuple | ast.Set) else [named.syntax]
    return any(_is_read_unverified(named.source.node(item), subject) for item in items)


def _is_read_unverified(value: Node[Any], subject: Subject, depth: int = 3) -> bool:
    match subject.sources.resolve(value).syntax:
        case ast.Subscript(value=inner) | ast.Call(func=ast.Attribute(value=inner, attr="get")) if depth:
            return _is_read_unverified(value.source.node(inner), subject, depth - 1)
        case ast.Call(func=func):
            return (value.source.name_of(func) or "") in UNVERIFIED
    return False


RULE = Rule(
    id="WW203",
    name="jwt-decode-without-algorithms",
    severity=Severity.ERROR,
    summary="`jwt.decode` without `algorithms`",
    why=(
        "What verifies a token must know how it was signed, and not believe the token about it: with `alg` chosen "
        "by the sender come unsigned tokens, and public keys used as HMAC secrets. PyJWT refuses to decode "
        "without."
    ),
    fix="Name the one algorithm you sign with.",
    bad="""\
import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str, key: str):
    return jwt.decode(token, key, options={"require": ["exp"]})
""",
    good="""\
import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str, key: str):
    return jwt.decode(token, key, algorithms=["HS256"], options={"require": ["exp"]})
""",
    references=("RFC 8725 §3.1", "OWASP ASVS 9.1.2", "CWE-347"),
    check=check,
)
