"""WW303: passlib, which nobody maintains."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.password_calls import last_name
from watchword.check.source import Node, Source, arguments
from watchword.check.subject import Subject

_PASSWORD: Final = re.compile(r"passw|pwd", re.IGNORECASE)
_USED_FOR_PASSWORDS: Final = ("passlib.context", "passlib.hash", "passlib.apps", "passlib.handlers", "passlib.hosts")


def check(subject: Subject) -> Iterator[Found]:
    """One import of it, however many there are, as it is replaced once: where passwords are hashed, if anywhere."""
    first = min(_imports(subject), key=lambda node: not _hashes_passwords(node.source, subject), default=None)
    if first is not None:
        yield Found(first.location, "passlib hashes here, and its last release is of 2020", Certainty.CERTAIN)


def _hashes_passwords(source: Source, subject: Subject) -> bool:
    """Whether what is hashed in a file is called a password, and is no key or code."""
    calls = (call for call in source.all(ast.Call) if any(_PASSWORD.search(last_name(a)) for a in arguments(call)))
    return any(subject.password_calls.is_slow_hash(source.node(call)) for call in calls)


def _imports(subject: Subject) -> Iterator[Node[ast.AST]]:
    for source in subject.sources.own:
        for node in source.nodes:
            match node:
                case ast.ImportFrom(module=str(module), level=0):
                    names = [f"{module}.{alias.name}" for alias in node.names]
                case ast.Import():
                    names = [alias.name for alias in node.names]
                case _:
                    continue
            if any(name.startswith(_USED_FOR_PASSWORDS) for name in names) and not _is_for_types(source, node):
                yield source.node(node)


def _is_for_types(source: Source, statement: ast.AST) -> bool:
    tests = (parent.test for parent in source.parents(statement) if isinstance(parent, ast.If))
    return any((source.name_of(test) or "").endswith("TYPE_CHECKING") for test in tests)


RULE = Rule(
    id="WW303",
    name="passlib",
    severity=Severity.WARNING,
    summary="Passwords are hashed by passlib",
    why=(
        "Its last release is of October 2020. With bcrypt 4.1 it logs a traceback, with bcrypt 5 it fails at the first "
        "password; what keeps it working is pinning old versions of what should be up to date."
    ),
    fix="Use pwdlib, which verifies the bcrypt and Argon2 hashes you have; nobody needs a new password.",
    bad="""\
from fastapi import FastAPI
from passlib.context import CryptContext

app = FastAPI()
hasher = CryptContext(schemes=["bcrypt"])


def is_right(password: str, password_hash: str) -> bool:
    return hasher.verify(password, password_hash)
""",
    good="""\
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

app = FastAPI()
hasher = PasswordHash((Argon2Hasher(), BcryptHasher()))


def is_right(password: str, password_hash: str) -> bool:
    return hasher.verify(password, password_hash)
""",
    references=("CWE-1104",),
    check=check,
)
