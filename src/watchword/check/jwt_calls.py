"""How the JWT libraries are called: PyJWT, python-jose, Authlib, joserfc."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from watchword.check.source import Node, argument
from watchword.check.sources import Sources

DECODE: Final = (
    "jwt.decode",
    "jwt.api_jwt.decode",
    "jose.jwt.decode",
    "jwt.decode_complete",
    "jwt.api_jwt.decode_complete",
)
"""Those that name the algorithms at each call."""
ENCODE: Final = ("jwt.encode", "jwt.api_jwt.encode", "jose.jwt.encode")
ENCODE_WITH_HEADER: Final = ("authlib.jose.jwt.encode", "joserfc.jwt.encode")
"""Those that take the header first, and the algorithm in it."""
DECODE_OF_OTHERS: Final = ("authlib.jose.jwt.decode", "joserfc.jwt.decode")
UNVERIFIED_CLAIMS: Final = ("jose.jwt.get_unverified_claims", "jose.jws.get_unverified_claims")
UNVERIFIED: Final = (
    *UNVERIFIED_CLAIMS,
    "jwt.get_unverified_header",
    "jose.jwt.get_unverified_header",
    "jose.jwt.get_unverified_headers",
    "jose.jws.get_unverified_header",
    "jose.jws.get_unverified_headers",
)
"""What reads a token without looking at its signature, and says so."""


@dataclass(frozen=True, slots=True)
class Signing:
    """A call that signs a token.

    Attributes:
        call: It.
        payload: What it signs.
        key: With what.
        algorithm: How, where that is said.
    """

    call: Node[ast.Call]
    payload: ast.expr
    key: ast.expr | None
    algorithm: ast.expr | None


def signings(sources: Sources) -> Iterator[Signing]:
    """All own calls that sign a token."""
    for call in sources.calls(*ENCODE):
        payload = argument(call.syntax, "payload", 0) or argument(call.syntax, "claims", 0)
        if payload is not None:
            key, algorithm = argument(call.syntax, "key", 1), argument(call.syntax, "algorithm", 2)
            yield Signing(call, payload, key, algorithm)
    for call in sources.calls(*ENCODE_WITH_HEADER):
        payload = argument(call.syntax, "payload", 1) or argument(call.syntax, "claims", 1)
        if payload is not None:
            header = argument(call.syntax, "header", 0)
            algorithm = entry(call.source.node(header), "alg", sources) if header is not None else None
            yield Signing(call, payload, argument(call.syntax, "key", 2), algorithm)


def algorithms(value: Node[ast.expr] | None, sources: Sources) -> list[object]:
    """The algorithms that an expression names, one or a list; `...` for what cannot be read."""
    if value is None:
        return []
    found = sources.resolve(value)
    if isinstance(found.syntax, ast.List | ast.Tuple | ast.Set):
        return [sources.constant(found.source.node(item)) for item in found.syntax.elts]
    return [sources.constant(found)]


def algorithms_of(call: Node[ast.Call], sources: Sources) -> list[object]:
    """Those that a call of `decode` takes."""
    value = argument(call.syntax, "algorithms", 2)
    return algorithms(None if value is None else call.source.node(value), sources)


def entry(value: Node[ast.expr], name: str, sources: Sources) -> ast.expr | None:
    """What a dict display has under a name."""
    found = sources.resolve(value).syntax
    if not isinstance(found, ast.Dict):
        return None
    for key, item in zip(found.keys, found.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == name:
            return item
    return None


def option(call: Node[ast.Call], name: str, sources: Sources) -> object:
    """An option of `decode`, where it can be read; else `...`."""
    options = argument(call.syntax, "options", 3)
    if options is None:
        return ...
    resolved = sources.resolve(call.source.node(options))
    value: object = ...
    if isinstance(resolved.syntax, ast.Call) and (resolved.source.name_of(resolved.syntax.func) == "dict"):
        item = argument(resolved.syntax, name)
    else:
        item = entry(resolved, name, sources)
    if item is not None:
        value = sources.constant(resolved.source.node(item))
    return value


def hides_arguments(call: Node[ast.Call]) -> bool:
    """Whether `*` or `**` hide what it is passed."""
    is_starred = any(isinstance(value, ast.Starred) for value in call.syntax.args)
    return is_starred or any(keyword.arg is None for keyword in call.syntax.keywords)


def verifies_signature(call: Node[ast.Call], sources: Sources) -> bool:
    """Whether a call of `decode` looks at the signature: not with `verify_signature: False` in its options."""
    return option(call, "verify_signature", sources) is not False


def library_of(call: Node[ast.Call]) -> str:
    """Whose function a call is of, as people call the library."""
    name = call.source.name_of(call.syntax.func) or ""
    return {"jwt": "PyJWT", "jose": "python-jose", "authlib": "Authlib"}.get(name.partition(".")[0], "joserfc")
