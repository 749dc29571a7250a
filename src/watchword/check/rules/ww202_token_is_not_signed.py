"""WW202: an access token that is a name or a constant."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.functions import assigned, called, is_function, own_statements, returned
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node, arguments
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_IDENTITIES: Final = re.compile(r"(user_?|form_?)?(name|email|login)|user_?id|uid")
_USERS: Final = re.compile(r"(\w+_)?(user|account|member|person|form|form_data|credentials)(_\w+)?")
_ENCODES: Final = re.compile(r"(str|bytes|repr|format|base64\.\w*encode|encode|decode|lower|upper|strip|hex|join)")
_DEPTH: Final = 12


def check(subject: Subject) -> Iterator[Found]:
    """What handlers answer as `access_token`."""
    seen: set[ast.AST] = set()
    for route in subject.routes:
        handler = subject.handler(route)
        if handler is None or not is_function(handler.syntax) or handler.syntax in seen:
            continue
        seen.add(handler.syntax)
        for value in _access_tokens(Node(handler.source, handler.syntax)):
            what = _plain(value, subject.sources, 0)
            if what is not None:
                message = f"{route.name} answers {what} as access_token: anybody can make one"
                yield Found(value.location, message, Certainty.CERTAIN, route.name)
                break


def _access_tokens(handler: Node[FunctionNode]) -> Iterator[Node[ast.expr]]:
    for node in own_statements(handler.syntax):
        match node:
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "access_token":
                        yield handler.source.node(value)
            case ast.Call(keywords=keywords):
                yield from (handler.source.node(k.value) for k in keywords if k.arg == "access_token")


def _plain(node: Node[ast.expr], sources: Sources, depth: int) -> str | None:
    """What a token is that nobody signed and nothing random is in; None where it may be more."""
    source, syntax = node.source, node.syntax
    what: str | None = None
    match syntax:
        case _ if depth > _DEPTH:
            pass
        case ast.Constant(value=str() as text):
            what = "a constant" if text.strip() else None
        case ast.Attribute(value=owner, attr=name):
            owner_name = (source.name_of(owner) or "").rpartition(".")[2].lower()
            is_identity = _IDENTITIES.fullmatch(name) or name == "id"
            what = f"the user's {name}" if is_identity and _USERS.fullmatch(owner_name) else None
        case ast.Name(id=name):
            what = _named(node, name, sources, depth)
        case ast.JoinedStr(values=parts):
            values = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
            what = _all_plain([source.node(value) for value in values], sources, depth)
        case ast.BinOp(op=ast.Add() | ast.Mod(), left=left, right=right):
            what = _all_plain([source.node(left), source.node(right)], sources, depth)
        case ast.Await(value=value):
            what = _plain(source.node(value), sources, depth)
        case ast.Call():
            what = _made(source.node(syntax), sources, depth)
    return what


def _made(call: Node[ast.Call], sources: Sources, depth: int) -> str | None:
    """What a call gives back: of a function of the app's own, or of one that only writes its argument otherwise."""
    source, syntax = call.source, call.syntax
    function = called(call, sources)
    if function is not None:
        return _all_plain(returned(function), sources, depth)
    name = str(source.name_of(syntax.func) or getattr(syntax.func, "attr", ""))
    if not _ENCODES.fullmatch(name) and not _ENCODES.fullmatch(name.rpartition(".")[2]):
        return None
    inside = [v for v in arguments(syntax) if not (isinstance(v, ast.Constant) and v.value in {"utf-8", "ascii"})]
    if isinstance(syntax.func, ast.Attribute) and not name.startswith("base64."):
        inside.insert(0, syntax.func.value)
    return _all_plain([source.node(value) for value in inside], sources, depth)


def _all_plain(nodes: list[Node[ast.expr]], sources: Sources, depth: int) -> str | None:
    found = [_plain(node, sources, depth + 1) for node in nodes]
    known = [what for what in found if what is not None]
    if len(known) < len(found) or not known:
        return None
    return next((what for what in known if what != "a constant"), "a constant")


def _named(node: Node[ast.expr], name: str, sources: Sources, depth: int) -> str | None:
    function = node.source.function_of(node.syntax)
    if function is not None and (values := assigned(function, name)):
        return _all_plain([node.source.node(value) for value in values], sources, depth)
    resolved = sources.resolve(node)
    if resolved.syntax is not node.syntax:
        return "a constant" if isinstance(resolved.syntax, ast.Constant) and resolved.syntax.value else None
    return f"the user's {name}" if _IDENTITIES.fullmatch(name) and name != "name" else None


RULE = Rule(
    id="WW202",
    name="token-is-not-signed",
    severity=Severity.ERROR,
    summary="The access token is the user's name, or a constant",
    why=(
        "A bearer token is all that stands for a login. Where it is the user's name, id or a fixed text, knowing "
        "or guessing that is being logged in as that user."
    ),
    fix="Answer a signed token that expires, or a random one whose hash you keep.",
    bad="""\
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
def login(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": form.username, "token_type": "bearer"}
""",
    good="""\
import os
import time

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
def login(form: OAuth2PasswordRequestForm = Depends()):
    claims = {"sub": form.username, "exp": int(time.time()) + 900}
    return {"access_token": jwt.encode(claims, os.environ["KEY"], algorithm="HS256"), "token_type": "bearer"}
""",
    references=("RFC 6750 §5.2", "OWASP ASVS 7.2.3", "CWE-340"),
    check=check,
)
