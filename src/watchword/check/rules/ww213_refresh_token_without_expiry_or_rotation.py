"""WW213: a refresh token that is good for ever, or used again and again."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.functions import called, is_function, parameters
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.routes import AppRoute
from watchword.check.source import FunctionNode, Node, argument
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_REFRESH: Final = re.compile(r"refresh|renew", re.IGNORECASE)
_REFRESH_TOKEN: Final = re.compile(r"refresh", re.IGNORECASE)
_ROTATES: Final = re.compile(
    r"(create|make|generate|issue|new|sign|encode|build|set|store|save|replace)\w*refresh|refresh\w*(create|rotat)|rotat|revok"
    r"|invalidat|(black|block|deny)_?list|jti|token_?pair|tokens_for|(create|make|generate|issue|new)_tokens|delete|consume",
    re.IGNORECASE,
)
_DEPTH: Final = 2


def check(subject: Subject) -> Iterator[Found]:
    """AuthX told not to let refresh tokens expire; endpoints that take one and leave it as it is."""
    for call in subject.sources.all(ast.Call):
        lifetime = argument(call.syntax, "JWT_REFRESH_TOKEN_EXPIRES")
        if isinstance(lifetime, ast.Constant) and not lifetime.value:
            message = "JWT_REFRESH_TOKEN_EXPIRES is None: refresh tokens never expire"
            yield Found(call.source.location(lifetime), message, Certainty.CERTAIN)
    for route in subject.routes:
        handler = subject.handler(route)
        if (
            handler is not None
            and is_function(handler.syntax)
            and _keeps_refresh_token(route, handler, subject.sources)
        ):
            message = f"{route.name} gives a new access token and leaves the refresh token as it is"
            yield Found(handler.location, message, Certainty.LIKELY, route.name)


def _keeps_refresh_token(route: AppRoute, handler: Node[FunctionNode], sources: Sources) -> bool:
    if "POST" not in route.methods or not _REFRESH.search(f"{route.path} {handler.syntax.name}"):
        return False
    answers = _answers(handler)
    if not answers or not _takes_refresh_token(handler, route):
        return False
    if any(answer is not None and not _is_what_came(answer, handler) for answer in answers):
        return False
    return not any(_ROTATES.search(name) for name in _names(handler, sources, 0) if name != handler.syntax.name)


def _answers(handler: Node[FunctionNode]) -> list[ast.expr | None]:
    """Of each answer with an access token, its refresh token."""
    found: list[ast.expr | None] = []
    for node in ast.walk(handler.syntax):
        given: dict[object, ast.expr] = {}
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            given = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
        elif isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
        if "access_token" in given:
            found.append(given.get("refresh_token"))
    return found


def _takes_refresh_token(handler: Node[FunctionNode], route: AppRoute) -> bool:
    """Whether what is sent is a refresh token, and not an access token that is made to live longer."""
    signature = ast.unparse(handler.syntax.args)
    names = [getattr(dependency.call, "__name__", "") for dependency in route.all_dependencies()]
    cookies = [text.value for text in ast.walk(handler.syntax) if isinstance(text, ast.Constant)]
    return (
        bool(_REFRESH_TOKEN.search(signature))
        or any(_REFRESH_TOKEN.search(name) for name in names)
        or any(isinstance(text, str) and re.fullmatch(r"refresh(_?token)?", text, re.IGNORECASE) for text in cookies)
    )


def _is_what_came(answer: ast.expr, handler: Node[FunctionNode]) -> bool:
    """Whether a refresh token in an answer is the parameter it came by."""
    known = {parameter.arg for parameter in parameters(handler.syntax)}
    names = {node.id for node in ast.walk(answer) if isinstance(node, ast.Name)}
    calls = any(isinstance(node, ast.Call | ast.Await) for node in ast.walk(answer))
    return not calls and bool(names) and names <= known


def _names(function: Node[FunctionNode], sources: Sources, depth: int) -> Iterator[str]:
    """What a function, and what of the app's own it calls, names."""
    for node in ast.walk(function.syntax):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.Call) and depth < _DEPTH:
            inner = called(function.source.node(node), sources)
            if inner is not None:
                yield from _names(inner, sources, depth + 1)


RULE = Rule(
    id="WW213",
    name="refresh-token-without-expiry-or-rotation",
    severity=Severity.WARNING,
    summary="A refresh token does not expire, or is used again and again",
    why=(
        "A refresh token that leaked is a login for as long as it is good. Where each use gives a new one and "
        "ends the old, thief and owner cannot both go on: the second use of the same token shows the theft."
    ),
    fix=(
        "Give a new refresh token at each use, end the old one, and end the whole family when an old one comes again."
    ),
    bad="""\
import os
import time

import jwt
from fastapi import Body, FastAPI

app = FastAPI()


@app.post("/refresh")
def refresh(refresh_token: str = Body(embed=True)):
    claims = jwt.decode(refresh_token, os.environ["KEY"], algorithms=["HS256"], options={"require": ["exp"]})
    renewed = {"sub": claims["sub"], "exp": int(time.time()) + 900}
    return {"access_token": jwt.encode(renewed, os.environ["KEY"], algorithm="HS256"), "token_type": "bearer"}
""",
    good="""\
import os
import time

import jwt
from fastapi import Body, FastAPI

app = FastAPI()
families = {}


def rotate(refresh_token: str):
    \"\"\"End this refresh token, or its whole family if it was ended before; return the user and the next one.\"\"\"
    return families.pop(refresh_token)


@app.post("/refresh")
def refresh(refresh_token: str = Body(embed=True)):
    user, following = rotate(refresh_token)
    claims = {"sub": user, "exp": int(time.time()) + 900}
    access_token = jwt.encode(claims, os.environ["KEY"], algorithm="HS256")
    return {"access_token": access_token, "refresh_token": following, "token_type": "bearer"}
""",
    references=("RFC 9700 §2.2.2", "RFC 9700 §4.14.2", "OWASP ASVS 10.4.5", "OWASP ASVS 10.4.8"),
    check=check,
)
