"""Where keys are named that sign tokens and session cookies."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from watchword.check import jwt_calls
from watchword.check.source import Node, Source, argument
from watchword.check.sources import Sources

_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
"""An HMAC key is at least as long as the hash (RFC 7518 §3.2)."""
_BYTES_OF_OTHERS: Final = 16  # 128 bits: what signs something else than a JWT, or nobody can see what

_TAKE_A_KEY: Final[dict[str, tuple[str, int | None, int]]] = {
    "JWTStrategy": ("secret", 0, 32),
    "SessionMiddleware": ("secret_key", None, _BYTES_OF_OTHERS),
    "Signer": ("secret_key", 0, _BYTES_OF_OTHERS),
    "TimestampSigner": ("secret_key", 0, _BYTES_OF_OTHERS),
    "Serializer": ("secret_key", 0, _BYTES_OF_OTHERS),
    "URLSafeSerializer": ("secret_key", 0, _BYTES_OF_OTHERS),
    "URLSafeTimedSerializer": ("secret_key", 0, _BYTES_OF_OTHERS),
    "AuthXConfig": ("JWT_SECRET_KEY", None, 32),
}
"""Class to the parameter that is its key, where that stands, and the bytes it must have."""
_ADD_MIDDLEWARE: Final = frozenset({"add_middleware", "Middleware"})
_NAMES: Final = re.compile(
    r"((app|jwt|auth|session|token|access_?token|refresh_?token|access|refresh|jwt_access|jwt_refresh)_)?secret_?key"
    r"|(jwt|auth|session|token|access_?token|refresh_?token)_(secret|signing_key)|jwt_key|signing_key"
    r"|(reset_password|verification)_token_secret",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A place that names a key.

    Attributes:
        key: What stands there.
        least: How many bytes such a key must have.
        name: What it is called, where it has no name of its own.
    """

    key: Node[Any]
    least: int
    name: str


def key_uses(sources: Sources) -> Iterator[KeyUse]:
    """All places in own files."""
    for signing in jwt_calls.signings(sources):
        if signing.key is not None:
            source, algorithm = signing.call.source, signing.algorithm
            names = jwt_calls.algorithms(None if algorithm is None else source.node(algorithm), sources)
            yield KeyUse(source.node(signing.key), _least(names), "the key of jwt.encode")
    for call in sources.calls(*jwt_calls.DECODE, *jwt_calls.DECODE_OF_OTHERS):
        key = argument(call.syntax, "key", 1)
        if key is not None and jwt_calls.verifies_signature(call, sources):
            least = _least(jwt_calls.algorithms_of(call, sources))
            yield KeyUse(call.source.node(key), least, "the key of jwt.decode")
    for source in sources.own:
        for name, calls in source.calls.items():
            if name.rpartition(".")[2] in _TAKE_A_KEY.keys() | _ADD_MIDDLEWARE:
                for made in calls:
                    yield from _of_classes(source.node(made))
        yield from _by_name(source)


def _least(names: list[object]) -> int:
    return max((_BYTES.get(name, 0) for name in names if isinstance(name, str)), default=_BYTES["HS256"])


def _of_classes(call: Node[ast.Call]) -> Iterator[KeyUse]:
    module, _, name = (call.source.name_of(call.syntax.func) or "").rpartition(".")
    if name.endswith(("Signer", "Serializer")) and not module.startswith("itsdangerous"):
        return
    if name in _ADD_MIDDLEWARE and call.syntax.args:
        name = (call.source.name_of(call.syntax.args[0]) or "").rpartition(".")[2]
        if name != "SessionMiddleware":
            return
    if name in _TAKE_A_KEY:
        parameter, position, least = _TAKE_A_KEY[name]
        key = argument(call.syntax, parameter, position)
        if key is not None:
            yield KeyUse(call.source.node(key), least, f"{parameter} of {name}")


def _by_name(source: Source) -> Iterator[KeyUse]:
    """What is assigned to a name that only such a key has, in a module, a class or an object."""
    for node in source.nodes:
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                name = str(getattr(target, "id", None) or getattr(target, "attr", ""))
                if _NAMES.fullmatch(name) is None:
                    continue
                parent = next(source.parents(node), None)
                is_enum = isinstance(parent, ast.ClassDef) and any(
                    (source.name_of(base) or "").endswith(("Enum", "str")) for base in parent.bases
                )
                says_itself = isinstance(value, ast.Constant) and str(value.value).upper() in {name.upper(), ""}
                if not is_enum and not says_itself:
                    yield KeyUse(source.node(value), _BYTES_OF_OTHERS, name)
