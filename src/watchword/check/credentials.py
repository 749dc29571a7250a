"""Where code takes credentials from, read in its syntax."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from watchword.check.source import FunctionNode, Source, texts_in
from watchword.check.walking import walk

_CREDENTIAL: Final = re.compile(
    r"auth|token|api[-_]?key|access[-_]?key|secret|signature|session|jwt|credential|bearer|passw|ticket"
    r"|(^|[-_])(sid|sig|hmac)($|[-_])",
    re.IGNORECASE,
)
_NO_LOGIN: Final = re.compile(
    r"theme|dark|lang|locale|consent|track|visitor|cart|csrf|xsrf|analytics|page_?token|next_?token|tokens|author($|[-_])",
    re.IGNORECASE,
)
_KEY_HEADER: Final = re.compile(
    r"[-_]key$|(remote|forwarded|webauth)[-_](user|email)$|(ssl|tls)[-_]client|client[-_]cert", re.IGNORECASE
)
_NO_KEY: Final = re.compile(r"idempot|websocket|cache|surrogate|partition|public|dedup|routing", re.IGNORECASE)
CONNECTIONS: Final = frozenset({"request", "websocket", "conn", "connection", "ws", "req", "http_connection"})
_OF_CONNECTIONS: Final = {"session": "session", "user": "request.user", "auth": "request.user"}
_STATE: Final = re.compile(r"user|auth|principal|identity|session|token|claims|account|jwt", re.IGNORECASE)
_ANSWERS: Final = frozenset({"response", "resp", "res", "answer", "reply"})
_WRITES: Final = frozenset({"clear", "update", "setdefault", "pop"})
_RECEIVES: Final = frozenset({"receive", "receive_text", "receive_json", "receive_bytes"})


def is_credential(name: str) -> bool:
    """Whether something of this name is what a caller proves itself with."""
    return _CREDENTIAL.search(name) is not None and _NO_LOGIN.search(name) is None


def _is_key(header: str) -> bool:
    return _KEY_HEADER.search(header) is not None and _NO_KEY.search(header) is None


def read_in(source: Source, syntax: ast.AST) -> Iterator[str]:
    """Where a function or class takes credentials from, by itself."""
    for node in walk(syntax):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _read_by_parameters(source, node)
            if _reads_messages(node):
                yield "message"
        if (place := read_at(source, node)) is not None:
            yield place


def parameter_place(kind: str, names: Iterable[str]) -> str | None:
    """Where a `header`, `cookie` or `query` parameter comes from, if one of its names is a credential's."""
    fitting = [name for name in names if is_credential(name) or (kind == "header" and _is_key(name))]
    if not fitting:
        return None
    return _header(fitting[-1]) if kind == "header" else kind


def _read_by_parameters(source: Source, function: FunctionNode) -> Iterator[str]:
    for name, default, annotation in _parameters(function):
        for place in (annotation, default):
            for call in ast.walk(place) if place is not None else ():
                if not isinstance(call, ast.Call):
                    continue
                kind = (source.name_of(call.func) or "").rpartition(".")[2].lower()
                names = [name, *texts_in(call)] if kind in {"header", "cookie", "query"} else []
                if (found := parameter_place(kind, names)) is not None:
                    yield found


def _parameters(function: FunctionNode) -> Iterator[tuple[str, ast.expr | None, ast.expr | None]]:
    positional = [*function.args.posonlyargs, *function.args.args]
    without = [None] * (len(positional) - len(function.args.defaults))
    for argument, default in zip(positional, [*without, *function.args.defaults], strict=True):
        yield argument.arg, default, argument.annotation
    for argument, keyword_default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        yield argument.arg, keyword_default, argument.annotation


def _reads_messages(function: FunctionNode) -> bool:
    """Whether it takes a credential from what is sent over a WebSocket: `(await ws.receive_json())["token"]`."""
    receives = any(isinstance(n, ast.Attribute) and n.attr in _RECEIVES for n in walk(function))
    return receives and any(
        is_credential(node.id if isinstance(node, ast.Name) else str(node.value))
        for node in walk(function)
        if isinstance(node, ast.Name | ast.Constant)
    )


def read_at(source: Source, node: ast.AST) -> str | None:
    """Where a node takes a credential from by itself, if it takes one."""
    match node:
        case (
            ast.Subscript(value=owner, slice=key, ctx=ast.Load())
            | ast.Call(func=ast.Attribute(value=owner, attr="get" | "getlist"), args=[key, *_])
            | ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[owner])
        ):
            return _item(owner, key)
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=str(name)), *_]):
            return _attribute(owner, name)
        case ast.Attribute(value=owner, attr=name, ctx=ast.Load()) if not _is_written(source, node):
            return _attribute(owner, name)
        case ast.Constant(value=bytes() as header):  # a header as ASGI has it
            return {b"authorization": "Authorization header", b"cookie": "cookie"}.get(header.lower())
    return None


def reads_named_header(node: ast.AST) -> bool:
    """Whether a node takes a header that a setting names: `request.headers.get(config.header)`."""
    match node:
        case (
            ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner, attr="headers"), attr="get"), args=[key, *_])
            | ast.Compare(
                left=key, ops=[ast.In() | ast.NotIn()], comparators=[ast.Attribute(value=owner, attr="headers")]
            )
        ):
            return _last(owner) in CONNECTIONS and not isinstance(key, ast.Constant)
    return False


def _item(owner: ast.expr, key: ast.expr) -> str | None:
    """What is read from `request.headers`, `.cookies`, `.query_params` or `.scope` under a key."""
    where = _last(owner)
    name = key.value if isinstance(key, ast.Constant) else ast.unparse(key)
    if not isinstance(name, str) or (isinstance(owner, ast.Attribute) and _last(owner.value) in _ANSWERS):
        return None
    match where:
        case "headers" if is_credential(name) or _is_key(name):
            return _header(name) if isinstance(key, ast.Constant) else "header"
        case "cookies" if _NO_LOGIN.search(name) is None:
            return "cookie"
        case "query_params" if is_credential(name):
            return "query"
        case "scope":
            return _OF_CONNECTIONS.get(name)
    return None


def _attribute(owner: ast.expr, name: str) -> str | None:
    if _last(owner) in CONNECTIONS:
        return _OF_CONNECTIONS.get(name)
    is_state = isinstance(owner, ast.Attribute) and owner.attr == "state" and _last(owner.value) in CONNECTIONS
    return f"request.state.{name}" if is_state and _STATE.search(name) else None


def _is_written(source: Source, node: ast.AST) -> bool:
    """Whether something is put into it, or it is emptied: what a login and a logout do."""
    parent: Any = next(source.parents(node), None)
    match parent:
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            return True
        case ast.Attribute(attr=name):
            return name in _WRITES
    return False


def _header(name: str) -> str:
    return "Authorization header" if name.lower() == "authorization" else f"{name} header"


def _last(node: ast.expr) -> str | None:
    """The last word of a name with dots: `request` of `self.request`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None
