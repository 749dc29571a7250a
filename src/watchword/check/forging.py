"""Tokens that nobody should take, and what makes them likely to be taken: names of users, claims, secrets."""

import ast
import base64
import hmac
import json
import re
import secrets
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import SecretBytes, SecretStr

from watchword.check.jwt_calls import DECODE, ENCODE
from watchword.check.source import Node, argument
from watchword.check.sources import Sources

_HOUR: Final = 3600
_HASHES: Final = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_PASSWORD: Final = re.compile(r"passw|pwd|hash", re.IGNORECASE)
_NAME: Final = re.compile(r"^(user_?name|user|login|email|name|id|user_?id)$", re.IGNORECASE)
_MOST_USERS: Final = 8


class Forged(StrEnum):
    """A kind of token that is none."""

    GARBAGE = "a made-up string as its token"
    FOREIGN = "a token signed with a random key"
    UNSIGNED = "an unsigned token (`alg: none`)"


@dataclass(frozen=True, slots=True)
class Signing:
    """What an app signs with, as far as it can be read. A secret: it goes into no message.

    Attributes:
        secret: The key of an HMAC.
        algorithm: Which.
        claims: Those that the app looks for in all tokens: its audience and its issuer.
    """

    secret: bytes
    algorithm: str
    claims: tuple[tuple[str, str], ...] = ()


def forged(kind: Forged, user: str, claims: Mapping[str, str]) -> str:
    """Such a token, in the name of a user."""
    if kind is Forged.GARBAGE:
        return f"made-up-{secrets.token_hex(16)}"
    if kind is Forged.UNSIGNED:
        return f"{_signing_input('none', user, _HOUR, claims)}."
    return signed(Signing(secrets.token_bytes(32), "HS256", tuple(claims.items())), user, lifetime=_HOUR)


def signed(signing: Signing, user: str, *, lifetime: int) -> str:
    """A token that the app might have made itself; of a negative lifetime, in seconds, one that has expired."""
    start = _signing_input(signing.algorithm, user, lifetime, dict(signing.claims))
    digest = hmac.digest(signing.secret, start.encode(), _HASHES[signing.algorithm])
    return f"{start}.{_base64url(digest)}"


def _signing_input(algorithm: str, user: str, lifetime: int, claims: Mapping[str, str]) -> str:
    now = int(time.time())
    payload: dict[str, Any] = {
        **dict.fromkeys(("sub", "username", "user_name", "user", "name", "email", "preferred_username"), user),
        **dict.fromkeys(("id", "user_id", "uid"), int(user) if user.isdecimal() else user),
        "iat": now + min(lifetime, 0) - 2,
        "nbf": now + min(lifetime, 0) - 2,
        "exp": now + lifetime,
        "jti": str(uuid.uuid4()),
        "type": "access",
        "token_type": "access",
        "scopes": [],
        "scope": "",
        **claims,
    }
    header = {"alg": algorithm, "typ": "JWT"}
    return ".".join(_base64url(json.dumps(part).encode()) for part in (header, payload))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def users(sources: Sources) -> tuple[str, ...]:
    """Names to put into tokens: those of people that stand in the source, beside what is often there."""
    named = dict.fromkeys(_people(sources))
    return tuple(dict.fromkeys([*list(named)[: _MOST_USERS - 3], "admin", "1", f"user-{secrets.token_hex(4)}"]))


def _people(sources: Sources) -> Iterator[str]:
    """`alice` of `{"alice": {"hashed_password": …}}`, of `User(username="alice", password_hash=…)`."""
    for node in sources.all(ast.Dict):
        for key, value in zip(node.syntax.keys, node.syntax.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _has_password(value):
                yield key.value
    for syntax in (node.syntax for node in (*sources.all(ast.Dict), *sources.all(ast.Call))):
        if _has_password(syntax):
            for name, value in _entries(syntax):
                if _NAME.search(name) and isinstance(value, ast.Constant) and isinstance(value.value, str | int):
                    yield str(value.value)


def _has_password(syntax: ast.AST) -> bool:
    return any(_PASSWORD.search(name) for name, _value in _entries(syntax))


def _entries(syntax: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(syntax, ast.Call):
        yield from ((keyword.arg, keyword.value) for keyword in syntax.keywords if keyword.arg is not None)
    elif isinstance(syntax, ast.Dict):
        for key, value in zip(syntax.keys, syntax.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value


def claims_asked_for(sources: Sources) -> dict[str, str]:
    """The audience and issuer that the app's own calls of `decode` name."""
    return {name: value for call in sources.calls(*DECODE) for name, value in _claims(call, sources)}


def signings(sources: Sources) -> tuple[Signing, ...]:
    """What the app's own calls of `encode` and `decode` sign and verify with, where that is an HMAC."""
    found: dict[Signing, None] = {}
    claims = tuple(claims_asked_for(sources).items())
    for call in sources.calls(*DECODE, *ENCODE):
        key = argument(call.syntax, "key", 1)
        algorithm = argument(call.syntax, "algorithms", 2) or argument(call.syntax, "algorithm", 2)
        names: list[object] = ["HS256"] if algorithm is None else _values(Node(call.source, algorithm), sources)
        used = next((name for name in _flat(names) if name in _HASHES), None)
        if key is not None and used is not None:
            for secret in _flat(_values(Node(call.source, key), sources)):
                found[Signing(secret.encode(), used, claims)] = None
    return tuple(found)


def _claims(call: Node[ast.Call], sources: Sources) -> Iterator[tuple[str, str]]:
    for parameter, claim in (("audience", "aud"), ("issuer", "iss")):
        value = argument(call.syntax, parameter)
        if value is not None:
            for text in _flat(_values(Node(call.source, value), sources)):
                yield claim, text


def _values(node: Node[Any], sources: Sources) -> list[object]:
    """What an expression is now that the app is loaded, which may come from its environment; and in its source."""
    return [_live(node), sources.constant(node)]


def _flat(values: list[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and value:
            yield value
        elif isinstance(value, bytes) and value.isascii():
            yield value.decode()
        elif isinstance(value, list | tuple):
            yield from _flat(list(value))


def _live(node: Node[Any]) -> object:
    """What a name or an attribute of one holds in its module; `...` for everything else, for nothing is called."""
    syntax = node.syntax
    match syntax:
        case ast.Name(id=name):
            return getattr(sys.modules.get(node.source.module), name, ...)
        case ast.Call(func=ast.Attribute(value=inner, attr="get_secret_value"), args=[]):
            held = _live(Node(node.source, inner))
            return held.get_secret_value() if isinstance(held, SecretStr | SecretBytes) else ...
        case ast.Attribute(value=inner, attr=name):
            return getattr(_live(Node(node.source, inner)), name, ...)
    return ...
