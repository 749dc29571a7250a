"""WW206: a token that never expires."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.claims import SOMEBODY, Claims, claims_of
from watchword.check.functions import callers, defaults, parameters, passed
from watchword.check.jwt_calls import Signing, signings
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.source import FunctionNode, Node
from watchword.check.sources import Sources
from watchword.check.subject import Subject

_DEPTH: Final = 3


def check(subject: Subject) -> Iterator[Found]:
    """Each payload that was followed to its last part, and has no `exp`."""
    sources = subject.sources
    for signing in signings(sources):
        call = signing.call
        claims = claims_of(call.source.node(signing.payload), sources)
        if _is_no_login(call, set(claims.values)):
            continue
        if "exp" in claims.values:
            yield from _where_nobody_asks_for_it(signing, claims, sources)
        elif claims.is_known and not claims.parameters and _stands_for_somebody(claims):
            yield Found(call.location, f"{_name(call)} signs a token without exp", Certainty.CERTAIN)
        elif claims.is_known:
            without, others = _passed_without(claims, sources, 0)
            message = f"{_name(call)} signs a token without exp: nothing that is passed to it has one"
            if without and not others:
                yield Found(call.location, message, Certainty.CERTAIN)
            elif without and "exp" in others:
                for place in without:
                    name = ast.unparse(place.syntax.func)
                    yield Found(
                        place.location, f"{name} is passed claims without exp, and adds none", Certainty.CERTAIN
                    )


def _stands_for_somebody(claims: Claims) -> bool:
    """Whether the token is a login; not where it is a state, or the number of a row that has the expiry."""
    return any(SOMEBODY.search(name) for name in claims.values)


def _is_no_login(call: Node[ast.Call], claims: set[str]) -> bool:
    """Whether it is the state of a login elsewhere, or the name of a row that says when it ends."""
    return claims == {"jti"} or re.search(r"(^|_)(state|nonce|csrf)(_|$)", _name(call)) is not None


def _name(call: Node[ast.Call]) -> str:
    function = call.source.function_of(call.syntax)
    return "jwt.encode" if function is None else function.name


def _passed_without(claims: Claims, sources: Sources, depth: int) -> tuple[list[Node[ast.Call]], set[str]]:
    """The calls that pass claims without `exp` to what signs them, and what the others pass: `exp`, or `unknown`."""
    without: list[Node[ast.Call]] = []
    others: set[str] = set()
    for function, name in claims.parameters:
        calls = list(callers(function, sources))
        if not calls:
            others.add("unknown")
        for call in calls:
            values = passed(call.syntax, function)
            if values is None or name not in values:
                others.add("unknown")
                continue
            above = claims_of(call.source.node(values[name]), sources)
            if "exp" in above.values:
                others.add("exp")
            elif not above.is_known or depth > _DEPTH:
                others.add("unknown")
            elif above.parameters:
                further, elsewhere = _passed_without(above, sources, depth + 1)
                without += further
                others |= elsewhere
            elif _stands_for_somebody(above) or _stands_for_somebody(claims):
                without.append(call)
            else:
                others.add("unknown")
    return without, others


def _where_nobody_asks_for_it(signing: Signing, claims: Claims, sources: Sources) -> Iterator[Found]:
    """`if lifetime: claims["exp"] = …`, and a call that passes no lifetime, or None."""
    function = signing.call.source.function_of(signing.call.syntax)
    if function is None or not claims.is_known:
        return
    definition = signing.call.source.node(function)
    asked_by = {_condition(value, definition) for value in claims.values["exp"]}
    name = asked_by.pop() if len(asked_by) == 1 else None
    default = defaults(function).get(name or "")
    if name is None or not (isinstance(default, ast.Constant) and not default.value):
        return
    for call in callers(definition, sources):
        values = passed(call.syntax, definition)
        if values is None or (name in values and not _is_none(call.source.node(values[name]), sources)):
            continue
        payload = next((v for p, v in values.items() if any(p == known for _, known in claims.parameters)), None)
        if payload is not None and "exp" in claims_of(call.source.node(payload), sources).values:
            continue
        is_setting = isinstance(values.get(name), ast.Attribute)
        how = f"with {name} that is None unless it is set" if is_setting else f"without {name}"
        message = f"{function.name} is called {how}, and signs a token without exp then"
        yield Found(call.location, message, Certainty.LIKELY if is_setting else Certainty.CERTAIN)


def _is_none(value: Node[ast.expr], sources: Sources) -> bool:
    """Whether what is passed is None, written so or as a setting whose default that is."""
    return isinstance(value.syntax, ast.Constant | ast.Attribute) and sources.constant(value) is None


def _condition(value: Node[ast.expr], function: Node[FunctionNode]) -> str | None:
    """The parameter without which a claim is not set."""
    names = {parameter.arg for parameter in parameters(function.syntax)}
    inside: ast.AST = value.syntax
    for parent in value.source.parents(value.syntax):
        if parent is function.syntax:
            return None
        if isinstance(parent, ast.If) and inside in parent.body and not parent.orelse:
            match parent.test:
                case ast.Name(id=name) | ast.Compare(left=ast.Name(id=name), ops=[ast.IsNot()]) if name in names:
                    return name if not _is_set(function.syntax, name) else None
            return None
        inside = parent
    return None


def _is_set(function: FunctionNode, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store) for n in ast.walk(function))


RULE = Rule(
    id="WW206",
    name="jwt-encode-without-exp",
    severity=Severity.ERROR,
    summary="A token is signed without an expiry",
    why=(
        "Without `exp` a token is valid until the key is changed, which ends all tokens of all users. One that "
        "leaks, from a log, a backup or a stolen laptop, is a login for ever."
    ),
    fix="Give each token an `exp` a few minutes away, and clients that need longer a refresh token.",
    bad="""\
import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def create_token(user_id: str) -> str:
    return jwt.encode({"sub": user_id}, os.environ["KEY"], algorithm="HS256")
""",
    good="""\
import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def create_token(user_id: str) -> str:
    claims = {"sub": user_id, "exp": datetime.now(UTC) + timedelta(minutes=15)}
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")
""",
    references=("RFC 7519 §4.1.4", "RFC 9068 §2.2", "RFC 6750 §5.3", "OWASP ASVS 9.2.1", "CWE-613"),
    check=check,
)
