"""WW211: tokens by python-jose."""

import ast
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject

_MENDED_IN: Final = (3, 4)


def check(subject: Subject) -> Iterator[Found]:
    """The first import of it: one decision, one finding."""
    for source in subject.sources.own:
        for node in source.nodes:
            match node:
                case ast.ImportFrom(module=str(module), level=0):
                    modules = [module]
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case _:
                    continue
            if any(name.partition(".")[0] == "jose" for name in modules) and not _is_own(subject):
                yield Found(
                    source.location(node), f"tokens are made or read with python-jose{_state()}", Certainty.CERTAIN
                )
                return


def _is_own(subject: Subject) -> bool:
    return any(source.module.partition(".")[0] == "jose" for source in subject.sources.own)


def _state() -> str:
    """What is true of the version that is installed."""
    try:
        installed = version("python-jose")
    except PackageNotFoundError:
        return ""
    numbers = tuple(int(part) for part in installed.split(".")[:2] if part.isdigit())
    if numbers < _MENDED_IN:
        return f" {installed}, which has CVE-2024-33663 and CVE-2024-33664; both are mended in 3.4.0"
    return f" {installed}, in which CVE-2024-33663 and CVE-2024-33664 are mended, ten months after they were known"


RULE = Rule(
    id="WW211",
    name="python-jose",
    severity=Severity.WARNING,
    summary="Tokens are made or read with python-jose",
    why=(
        "Before 3.4.0 it takes some public keys as HMAC secrets (CVE-2024-33663), and a small encrypted token can "
        "fill the memory (CVE-2024-33664). 3.3.0, with both, was the newest from 2021 to 2025: a library for "
        "tokens that is mended that late is a risk, whatever its version. FastAPI's documentation left it for "
        "PyJWT in 2024."
    ),
    fix=(
        "Use PyJWT: jwt.encode and jwt.decode take nearly the same arguments, and its base exception is "
        "jwt.InvalidTokenError."
    ),
    bad="""\
import os

from fastapi import FastAPI
from jose import jwt

app = FastAPI()


def claims(token: str):
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require_exp": True})
""",
    good="""\
import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str):
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require": ["exp"]})
""",
    references=("CVE-2024-33663", "CVE-2024-33664", "CWE-1104"),
    check=check,
)
