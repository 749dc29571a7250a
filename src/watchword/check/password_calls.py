"""How passwords are hashed: by the libraries made for it, which are slow on purpose."""

import ast
import re
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.check.call_graph import CallGraph, is_plain, made_elsewhere, nodes_of
from watchword.check.source import FunctionNode, Node, texts_in

_FUNCTIONS: Final = frozenset(
    {
        "argon2.hash_password",
        "argon2.verify_password",
        "argon2.low_level.hash_secret",
        "argon2.low_level.verify_secret",
        "bcrypt.checkpw",
        "bcrypt.hashpw",
        "bcrypt.kdf",
        "django.contrib.auth.hashers.check_password",
        "django.contrib.auth.hashers.make_password",
        "hashlib.pbkdf2_hmac",
        "hashlib.scrypt",
        "werkzeug.security.check_password_hash",
        "werkzeug.security.generate_password_hash",
    }
)
_OF_KEYS_TOO: Final = frozenset({"bcrypt.kdf", "hashlib.pbkdf2_hmac", "hashlib.scrypt"})
_CLASSES: Final = (
    "argon2.PasswordHasher",
    "fastapi_users.password.PasswordHelper",
    "passlib.context.CryptContext",
    "passlib.hash.",
    "pwdlib.PasswordHash",
    "pwdlib.hashers.",
)
_DEPTH: Final = 6  # from function to function
_METHODS: Final = frozenset({"hash", "verify", "encrypt", "verify_and_update"})

FAST_SCHEMES: Final = re.compile(r"plaintext|hex_\w+|ldap_(plaintext|\w*md5|\w*sha1)|md5_crypt|des_crypt|\w+_plaintext")
"""Schemes of passlib that one graphics card tries by the million a second and more, or that hide nothing."""
PASSWORD: Final = re.compile(
    r"(?:\w+_)?(?:pass_?(?:word|wd|phrase)|pwd|passcode)(?:_(?:plain|raw|text|str|in|bytes|clear))?", re.IGNORECASE
)
"""A name of a password as somebody typed it."""
PASSWORD_HASH: Final = re.compile(
    r"(?:\w+_)?(?:hash(?:ed)?|encrypted|crypted)_?(?:pass(?:word|wd)?|pwd|pw)|(?:\w+_)?(?:pass(?:word|wd)?|pwd|pw)_?"
    r"(?:hash(?:ed)?|digest)|hashedPassword|passwordHash",
    re.IGNORECASE,
)
"""A name of what is stored of one."""
_CONTEXT: Final = re.compile(r"(pwd|passw(or)?d|crypt)_?(context|ctx)", re.IGNORECASE)
_NOT_TYPED: Final = re.compile(r"hash|crypted|digest|token|reset|(?:^|_)(?:has|is|min|max)_", re.IGNORECASE)

_OTHERS: Final = re.compile(
    r"_?(azure|aws|smtp|imap|mail|db|database|redis|pg|postgres|mysql|mongo|proxy|s?ftp|ssh|ldap|bind|keystore)_",
    re.IGNORECASE,
)
"""What a password begins with that is another service's, and no user's of this app."""


def is_password(name: str) -> bool:
    """Whether a name is that of a password as somebody typed it."""
    return PASSWORD.fullmatch(name) is not None and _NOT_TYPED.search(name) is None and _OTHERS.match(name) is None


def last_name(node: ast.AST) -> str:
    """What the last part of an expression is called: `password` of `form.password`, `row["password"]` and itself."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(value=value, attr="encode" | "get_secret_value" | "strip")):
            return last_name(value)
    return ""


def names_in(node: ast.AST) -> set[str]:
    """All variables in an expression."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


@dataclass(eq=False)
class PasswordCalls:
    """Tells which calls hash a password slowly, by themselves or through functions of the app."""

    graph: CallGraph
    _hashes: dict[ast.AST, tuple[str, ...] | None] = field(default_factory=dict, init=False, repr=False)
    _somewhere: dict[ast.AST, bool] = field(default_factory=dict, init=False, repr=False)

    def is_slow_hash(self, call: Node[ast.Call]) -> bool:
        """Whether a call of a library hashes a password, to keep or to compare."""
        func = call.syntax.func
        name = call.source.name_of(func) or ""
        if name in _FUNCTIONS:
            return name not in _OF_KEYS_TOO or self._is_of_password(call)
        if not isinstance(func, ast.Attribute) or func.attr not in _METHODS:
            return False
        scheme = name.removesuffix(f".{func.attr}")
        made = scheme if scheme.startswith("passlib.hash.") else self.graph.type_name(call.source.node(func.value))
        return made.startswith(_CLASSES) and FAST_SCHEMES.fullmatch(made.removeprefix("passlib.hash.")) is None

    def _is_of_password(self, call: Node[ast.Call]) -> bool:
        """Whether what derives keys from anything is given a password, or stands where passwords are spoken of."""
        function = call.source.function_of(call.syntax)
        around = call.syntax if function is None else function
        named = (getattr(node, "id", None) or getattr(node, "arg", None) or "" for node in ast.walk(around))
        words = (getattr(around, "name", ""), *named, *texts_in(around))
        return any(re.search(r"passw|pwd", word, re.IGNORECASE) for word in words)

    def way_to_hash(self, function: Node[FunctionNode], depth: int = 0) -> tuple[str, ...] | None:
        """The functions passed from this one to a slow hash, itself first; None if it reaches none.

        Only what runs then and there: not what is handed to a thread.
        """
        syntax = function.syntax
        if syntax in self._hashes or depth > _DEPTH:
            return self._hashes.get(syntax)
        self._hashes[syntax] = None  # functions may call each other in circles
        way: tuple[str, ...] | None = None
        if any(self.is_slow_hash(call) for call in nodes_of(function, ast.Call)):
            way = (syntax.name,)
        else:
            for called in self.graph.calls(function):
                below = self.way_to_hash(called.function, depth + 1)
                if below is not None:
                    way = (syntax.name, *below)
                    break
        self._hashes[syntax] = way
        return way

    def way_from(self, call: Node[ast.Call], *, is_in_place: bool = False) -> tuple[str, ...] | None:
        """The functions of the app that a call passes on its way to a slow hash; None if it comes to none.

        Args:
            call: It.
            is_in_place: Follow only what runs in the caller's thread at once: plain functions, undecorated.
        """
        if self.is_slow_hash(call):
            return ()
        target = self.graph.target(call)
        if target is None or (is_in_place and not is_plain(target)):
            return None
        return self.way_to_hash(target)

    def comes_to_hash(self, call: Node[ast.Call], depth: int = 0) -> bool:
        """Whether a call hashes a password in the end, in a thread or in what is only called like a hasher, too."""
        made = made_elsewhere(call)
        if self.is_slow_hash(made) or self._is_of_a_context(made):
            return True
        target = self.graph.target(made)
        if target is None or depth > _DEPTH:
            return False
        if target.syntax not in self._somewhere:
            self._somewhere[target.syntax] = False  # functions may call each other in circles
            inside = nodes_of(target, ast.Call)
            self._somewhere[target.syntax] = any(self.comes_to_hash(inner, depth + 1) for inner in inside)
        return self._somewhere[target.syntax]

    def _is_of_a_context(self, call: Node[ast.Call]) -> bool:
        """Whether it is `settings.pwd_context.verify(…)`, and nobody can say from here what that context is."""
        func = call.syntax.func
        if not isinstance(func, ast.Attribute) or func.attr not in _METHODS:
            return False
        is_called_so = _CONTEXT.fullmatch(last_name(func.value)) is not None
        return is_called_so and self.graph.type_of(call.source.node(func.value)) is None

    def hashes(self, node: Node[Any]) -> bool:
        """Whether anything in a piece of code hashes a password."""
        calls = (inner for inner in ast.walk(node.syntax) if isinstance(inner, ast.Call))
        return any(self.comes_to_hash(node.source.node(call)) for call in calls)
