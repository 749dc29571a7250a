"""WW302: a password hashed by what was made to be fast."""

import ast
import re
from collections.abc import Iterator
from typing import Any, Final

from watchword.check.call_graph import nodes_of
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.password_calls import FAST_SCHEMES, is_password, last_name
from watchword.check.source import FunctionNode, Node, argument, arguments
from watchword.check.subject import Subject

_FAST: Final = re.compile(r"hashlib\.(md5|sha1|sha224|sha256|sha384|sha512|sha3_\d+|blake2[bs])")
_HASHES_PASSWORDS: Final = re.compile(r"(?:hash|encrypt|verify|check)_?passw|passw\w*_?hash", re.IGNORECASE)
_NO_PASSWORD: Final = re.compile(r"token|reset|key|code|otp|mail", re.IGNORECASE)
_OTHER_USE: Final = re.compile(r"pwned|hibp|gravatar|realm|digest_auth", re.IGNORECASE)
_MAKES_A_KEY: Final = re.compile(r"(^|_)(key|aes\w*|cipher|fernet|(en|de)crypt(ion|or|er)?)$", re.IGNORECASE)
_CONTEXT: Final = ("passlib.context.CryptContext", "passlib.context.LazyCryptContext")


def check(subject: Subject) -> Iterator[Found]:
    """Each call that hashes a password so, and each passlib context whose new hashes are such."""
    seen: set[ast.AST] = set()
    for call in subject.sources.all(ast.Call):
        name = _fast_hash(subject, call)
        syntax = None if name is None else call.source.function_of(call.syntax)
        if syntax is None or syntax in seen:
            continue
        function = call.source.node(syntax)
        if _is_of_password(subject, function, call) and not _is_for_more(subject, function, call):
            seen.add(syntax)
            yield Found(call.location, f"{syntax.name} hashes a password with {name}", Certainty.CERTAIN)
    for call in subject.sources.calls(*_CONTEXT):
        scheme = _default_scheme(subject, call)
        if scheme is not None and FAST_SCHEMES.fullmatch(scheme):
            yield Found(call.location, f"CryptContext hashes passwords with {scheme}", Certainty.CERTAIN)


def _fast_hash(subject: Subject, call: Node[ast.Call]) -> str | None:
    """What a call hashes with, if it is fast."""
    name = call.source.name_of(call.syntax.func) or ""
    if (match := _FAST.fullmatch(name)) is not None:
        return match[1].upper().replace("_", "-")
    if name == "hashlib.new":
        algorithm = argument(call.syntax, "name", 0)
        value = None if algorithm is None else subject.sources.constant(call.source.node(algorithm))
        return value.upper() if isinstance(value, str) and _FAST.fullmatch(f"hashlib.{value.lower()}") else None
    scheme = re.fullmatch(r"passlib\.hash\.(\w+)\.(?:hash|encrypt|verify)", name)
    return scheme[1] if scheme is not None and FAST_SCHEMES.fullmatch(scheme[1]) else None


def _is_of_password(subject: Subject, function: Node[FunctionNode], call: Node[ast.Call]) -> bool:
    hashed: list[ast.AST] = [*arguments(call.syntax), *_updates(function, call)]
    names = [inner for node in hashed for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    hashed.extend(subject.sources.resolve(call.source.node(name)).syntax for name in names)
    if any(is_password(last_name(inner)) for node in hashed for inner in ast.walk(node)):
        return True
    texts = [function.syntax.name, *(name.id for name in names)]
    is_named_so = _HASHES_PASSWORDS.search(function.syntax.name) is not None
    return bool(names) and is_named_so and not any(_NO_PASSWORD.search(text) for text in texts)


def _updates(function: Node[FunctionNode], call: Node[ast.Call]) -> Iterator[ast.AST]:
    """What `digest.update(…)` adds to what a call has begun."""
    names = {name for name, value in function.source.assigned_in(function.syntax).items() if value is call.syntax}
    for update in nodes_of(function, ast.Call):
        match update.syntax.func:
            case ast.Attribute(value=ast.Name(id=name), attr="update") if name in names:
                yield from arguments(update.syntax)


def _is_for_more(subject: Subject, function: Node[FunctionNode], call: Node[ast.Call]) -> bool:
    """Whether the fast hash is but a step: before a slow one, many times over, to compare, or to ask who knows it."""
    source = function.source
    text = ast.get_source_segment(source.text, function.syntax) or ""
    if _OTHER_USE.search(text) or _MAKES_A_KEY.search(function.syntax.name):
        return True
    for parent in source.parents(call.syntax):
        match parent:
            case ast.For() | ast.While():
                return True
            case ast.Call(func=func, args=[left, right]) if (source.name_of(func) or "").endswith("compare_digest"):
                if all(_holds_fast_hash(subject, source.node(side)) for side in (left, right)):
                    return True
            case ast.Subscript(slice=ast.Slice()):
                return True
    return any(subject.password_calls.is_slow_hash(other) for other in nodes_of(function, ast.Call))


def _holds_fast_hash(subject: Subject, side: Node[Any]) -> bool:
    calls = (node for node in ast.walk(side.syntax) if isinstance(node, ast.Call))
    return any(_fast_hash(subject, side.source.node(call)) is not None for call in calls)


def _default_scheme(subject: Subject, call: Node[ast.Call]) -> str | None:
    default = argument(call.syntax, "default")
    schemes = argument(call.syntax, "schemes", 0)
    if default is not None:
        value = subject.sources.constant(call.source.node(default))
    else:
        value = None if schemes is None else subject.sources.constant(call.source.node(schemes))
    if isinstance(value, list | tuple) and value:
        value = value[0]
    return value if isinstance(value, str) else None


RULE = Rule(
    id="WW302",
    name="fast-password-hash",
    severity=Severity.ERROR,
    summary="A password is hashed with MD5, SHA-x or nothing",
    why=(
        "These are made to be fast: one graphics card tries billions of passwords a second. Who gets the table has "
        "most of the passwords in it by the evening, with a salt or without."
    ),
    fix="Use Argon2id, scrypt or bcrypt, through pwdlib; hash what is kept again at the next login.",
    bad="""\
import hashlib

from fastapi import FastAPI

app = FastAPI()


def hash_password(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
""",
    good="""\
from fastapi import FastAPI
from pwdlib import PasswordHash

app = FastAPI()
hasher = PasswordHash.recommended()


def hash_password(password: str) -> str:
    return hasher.hash(password)
""",
    references=("OWASP ASVS 11.4.2", "CWE-916"),
    check=check,
)
