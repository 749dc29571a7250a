"""WW205: `jwt.decode` that takes tokens which never expire, or have."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.jwt_calls import (
    DECODE,
    DECODE_OF_OTHERS,
    algorithms_of,
    hides_arguments,
    library_of,
    option,
    signings,
    verifies_signature,
)
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import Node, argument
from watchword.check.sources import Sources
from watchword.check.subject import Subject
from watchword.check.unvalidated import is_believed

_MEANS_EXPIRED: Final = re.compile(
    r"refresh|expired|log(ged)?_?out|revoke|black_?list|deny_?list|ignore_exp|renew", re.IGNORECASE
)


def check(subject: Subject) -> Iterator[Found]:
    """Each call that does not look at `exp`, those of libraries that leave it to the caller included.

    And, where the tokens come from elsewhere, each that does not require it.
    """
    sources = subject.sources
    signs_itself = next(signings(sources), None) is not None
    for call in sources.calls(*DECODE):
        if not verifies_signature(call, sources) or _looks_itself(call, sources):
            continue
        if option(call, "verify_exp", sources) is False:
            if not _MEANS_EXPIRED.search(_function_name(call)):
                is_read_later = _requires_exp(call, sources)  # who requires it and does not verify it looks itself
                certainty = Certainty.POSSIBLE if is_read_later else Certainty.CERTAIN
                yield Found(call.location, "jwt.decode with verify_exp: False takes expired tokens", certainty)
        elif not signs_itself and not _requires_exp(call, sources) and _shares_its_key(call, sources):
            message = f"jwt.decode does not require exp: {library_of(call)} checks it only where a token has one"
            yield Found(call.location, message, Certainty.POSSIBLE)
    for call in sources.calls(*DECODE_OF_OTHERS):
        if is_believed(call, sources):
            message = f"{library_of(call)} looks at the signature only, and nothing validates the claims"
            yield Found(
                call.location, f"{message}: expired tokens are taken", Certainty.CERTAIN, severity=Severity.ERROR
            )


def _function_name(call: Node[ast.Call]) -> str:
    function = call.source.function_of(call.syntax)
    return "" if function is None else function.name


def _requires_exp(call: Node[ast.Call], sources: Sources) -> bool:
    """PyJWT has `require`, python-jose `require_exp`; what cannot be read is taken to have it."""
    given = argument(call.syntax, "options", 3)
    if given is None:
        return hides_arguments(call)
    match sources.resolve(call.source.node(given)).syntax:
        case ast.Dict(keys=keys) if None not in keys:
            names = {key.value for key in keys if isinstance(key, ast.Constant)}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given_by_name) if all(k.arg for k in given_by_name):
            names = {keyword.arg for keyword in given_by_name}
        case _:
            return True
    required = option(call, "require", sources)
    is_listed = "require" in names and (not isinstance(required, list | tuple | set) or "exp" in required)
    return is_listed or option(call, "require_exp", sources) is True


def _shares_its_key(call: Node[ast.Call], sources: Sources) -> bool:
    """Whether it is an HMAC key; identity providers, whose tokens have an expiry, sign with one of their own."""
    names = algorithms_of(call, sources)
    return bool(names) and all(isinstance(name, str) and name.startswith("HS") for name in names)


def _looks_itself(call: Node[ast.Call], sources: Sources) -> bool:
    """Whether the function reads `exp` itself, or has a model read it."""
    function = call.source.function_of(call.syntax)
    if function is None:
        return False
    for node in ast.walk(function):
        inside_options = any(inner is node for keyword in call.syntax.keywords for inner in ast.walk(keyword.value))
        if isinstance(node, ast.Constant) and node.value == "exp" and not inside_options:
            return True
        if isinstance(node, ast.Call):
            kind = sources.resolve(call.source.node(node.func)).syntax
            fields = kind.body if isinstance(kind, ast.ClassDef) else []
            if any(isinstance(f, ast.AnnAssign) and ast.unparse(f.target) == "exp" for f in fields):
                return True
    return False


RULE = Rule(
    id="WW205",
    name="jwt-decode-does-not-require-exp",
    severity=Severity.WARNING,
    summary="`jwt.decode` accepts tokens that have expired, or have no expiry",
    why=(
        "PyJWT and python-jose check `exp` only in tokens that have one: a token without is valid until the key "
        "is changed. With `verify_exp: False` a token that leaked years ago is as good as a new one. Authlib and "
        "joserfc look at no claim before they are told to."
    ),
    fix=(
        'Require the claims you rely on: options={"require": ["exp", "sub"]}; python-jose has require_exp. With '
        'Authlib call claims.validate(), with joserfc JWTClaimsRegistry(exp={"essential": True}).validate(…).'
    ),
    bad="""\
import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str):
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])
""",
    good="""\
import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str):
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require": ["exp"]})
""",
    references=("RFC 7519 §4.1.4", "RFC 9068 §2.2", "OWASP ASVS 9.2.1", "CWE-613"),
    check=check,
)
