"""WW209: a signing key out of a tutorial."""

from collections.abc import Iterator

from watchword.check.model import Found, Rule, Severity
from watchword.check.signing_keys import Fault, signing_keys
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each key that is a tutorial's, or made of the words that people write where a secret belongs."""
    for key in signing_keys(subject.sources):
        if key.fault is Fault.WELL_KNOWN:
            message = f"{key.what} is a tutorial's key or a placeholder, which is in every list of guesses"
            yield Found(key.literal.location, message, key.certainty)


RULE = Rule(
    id="WW209",
    name="well-known-secret",
    severity=Severity.ERROR,
    summary="The key that signs tokens is a tutorial's, or a placeholder",
    why=(
        "The keys of tutorials and templates are the first that anybody tries on a token of yours, off line and "
        "within a second. With the key they sign a token for any user."
    ),
    fix=(
        'Make a key of your own, `python -c "import secrets; print(secrets.token_hex(32))"`, and keep it out of '
        "the source."
    ),
    bad="""\
import jwt
from fastapi import FastAPI

app = FastAPI()
SECRET_KEY = "changethis"


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
    references=("RFC 8725 §3.5", "OWASP ASVS 11.2.3", "CWE-1394"),
    check=check,
)
