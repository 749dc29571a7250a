"""WW212: tokens that nothing ends before they expire."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.functions import callers
from watchword.check.jwt_calls import signings
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import Node, Source
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_ENDS: Final = re.compile(
    r"log_?out|sign_?out|revo(ke|cation)|(black|block|deny|allow|white)_?list|(^|_)jti($|_)|invalidat"
    r"|(token|session|auth|password|key)_?(version|epoch|generation|stamp)|security_stamp|valid_(after|since)"
    r"|password_changed|not_before|tokens?_(store|table|repo)|active_(tokens?|sessions?)|stored_token|session_id"
    r"|end_session|kill_session|destroy_token",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"access_?token|bearer", re.IGNORECASE)
_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
_SHORT: Final = 15 * 60


def check(subject: Subject) -> Iterator[Found]:
    """One finding for an app that signs access tokens and names nothing that could end them."""
    signed = list(signings(subject.sources))
    if not signed or not any(_is_access(signing.call) for signing in signed):
        return
    if any(_ENDS.search(route.path) for route in subject.routes):
        return
    if any(_ENDS.search(word) for source in subject.sources.own for word in _words(source)):
        return
    call = next(signing.call for signing in signed if _is_access(signing.call))
    lifetime = _lifetime(call, subject.sources)
    if lifetime is not None and lifetime <= _SHORT:
        return
    how_long = "before they expire" if lifetime is None else f"for the {_spelled(lifetime)} that they are valid"
    message = f"no logout or revoke route, deny-list, jti or token version was found: nothing ends tokens {how_long}"
    yield Found(call.location, message, Certainty.POSSIBLE)


def _is_access(call: Node[ast.Call]) -> bool:
    """Whether what is signed is an access token, as far as its file says: not a link in a mail, for instance."""
    return bool(_BEARER.search(call.source.text))


def _words(source: Source) -> Iterator[str]:
    """What the code of a file names; comments and long texts are not code."""
    for node in source.nodes:
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.arg(arg=word):
                yield word
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.ClassDef(name=word):
                yield word
            case ast.alias(name=word):
                yield word
            case ast.Constant(value=str(word)) if " " not in word:
                yield word


def _lifetime(call: Node[ast.Call], sources: Sources) -> int | None:
    """The longest lifetime in seconds that is given to what signs; None where one of them cannot be read."""
    function = call.source.function_of(call.syntax)
    if function is None:
        return None
    definition = call.source.node(function)
    places = [definition]
    for caller in callers(definition, sources):
        around = caller.source.function_of(caller.syntax)
        places += [caller.source.node(around)] if around is not None else []
    lifetimes = [_seconds(node, sources) for place in places for node in _timedeltas(place)]
    known = [lifetime for lifetime in lifetimes if lifetime is not None]
    return max(known) if known and len(known) == len(lifetimes) else None


def _timedeltas(place: Node[ast.FunctionDef] | Node[ast.AsyncFunctionDef] | Node[ast.AST]) -> Iterator[Node[ast.Call]]:
    for node in ast.walk(place.syntax):
        if isinstance(node, ast.Call) and (place.source.name_of(node.func) or "").endswith("timedelta"):
            yield place.source.node(node)


def _seconds(call: Node[ast.Call], sources: Sources) -> int | None:
    total = 0.0
    for keyword in call.syntax.keywords:
        value = sources.constant(call.source.node(keyword.value))
        if keyword.arg not in _SECONDS or not isinstance(value, int | float):
            return None
        total += value * _SECONDS[keyword.arg]
    return int(total) if total and not call.syntax.args else None


def _spelled(seconds: int) -> str:
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds % length == 0:
            number = seconds // length
            return f"{number} {name}{'s' * (number > 1)}"
    return f"{seconds} seconds"


RULE = Rule(
    id="WW212",
    name="no-revocation",
    severity=Severity.NOTE,
    summary="Nothing ends a token before it expires",
    why=(
        "A token that leaked, or that is of a user who was dismissed, is good until it expires. Where nothing can "
        "end it, logging out and changing the password do not help."
    ),
    fix=(
        "Let tokens live for a few minutes, and end what renews them; or keep a token version in the user's row, "
        "or a list of the `jti` that were ended, and look there at each request."
    ),
    bad="""\
import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


@app.post("/login")
def login(username: str, password: str):
    claims = {"sub": username, "exp": datetime.now(UTC) + timedelta(days=7)}
    return {"access_token": jwt.encode(claims, os.environ["KEY"], algorithm="HS256"), "token_type": "bearer"}
""",
    good="""\
import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


@app.post("/login")
def login(username: str, password: str):
    claims = {"sub": username, "exp": datetime.now(UTC) + timedelta(minutes=15)}
    return {"access_token": jwt.encode(claims, os.environ["KEY"], algorithm="HS256"), "token_type": "bearer"}
""",
    references=("RFC 6750 §5.3", "OWASP ASVS 7.4.1", "OWASP ASVS 7.4.2", "CWE-613"),
    check=check,
)
