"""WW210: a signing key that can be guessed."""

from collections.abc import Iterator

from watchword.check.model import Found, Rule, Severity
from watchword.check.signing_keys import Fault, signing_keys
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each key in the source that is shorter than what it is used for asks for."""
    for key in signing_keys(subject.sources):
        if key.fault is Fault.SHORT:
            message = f"{key.what} has {len(key.value)} bytes, and needs {key.least}"
            yield Found(key.literal.location, message, key.certainty)


RULE = Rule(
    id="WW210",
    name="short-secret",
    severity=Severity.ERROR,
    summary="The key that signs tokens is too short",
    why=(
        "Whoever has one token of yours can try keys on it off line, billions a second. A short key is found that "
        "way, and signs a token for any user. An HMAC key must be as long as the hash: 32 bytes for HS256, 48 for "
        "HS384, 64 for HS512."
    ),
    fix=(
        'Make a long random one, `python -c "import secrets; print(secrets.token_hex(32))"`, and keep it out of '
        "the source."
    ),
    bad="""\
import jwt
from fastapi import FastAPI

app = FastAPI()
SECRET_KEY = "blue-Harbour-42"


def claims(token: str):
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"], options={"require": ["exp"]})
""",
    good="""\
import os

import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str):
    return jwt.decode(token, os.environ["SECRET_KEY"], algorithms=["HS256"], options={"require": ["exp"]})
""",
    references=("RFC 7518 §3.2", "RFC 8725 §3.5", "OWASP ASVS 11.2.3", "CWE-326"),
    check=check,
)
