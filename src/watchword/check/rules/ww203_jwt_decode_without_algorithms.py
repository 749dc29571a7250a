"""WW203: `jwt.decode` that lets the token say how it was signed."""

import ast
from collections.abc import Iterator

from watchword.check.jwt_calls import DECODE, hides_arguments, verifies_signature
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import argument
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each call that verifies a signature and names no algorithm."""
    for call in subject.sources.calls(*DECODE):
        algorithms = argument(call.syntax, "algorithms", 2)
        is_none = isinstance(algorithms, ast.Constant) and algorithms.value is None
        is_missing = is_none or (algorithms is None and not hides_arguments(call))
        if is_missing and verifies_signature(call, subject.sources):
            yield Found(call.location, "jwt.decode without algorithms=[…]", Certainty.CERTAIN)


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
