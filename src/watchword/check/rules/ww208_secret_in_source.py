"""WW208: a signing key that everybody who reads the source has."""

from collections.abc import Iterator

from watchword.check.model import Found, Rule, Severity
from watchword.check.signing_keys import Fault, signing_keys
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each key in the source with which nothing else is wrong."""
    for key in signing_keys(subject.sources):
        if key.fault is Fault.IN_SOURCE:
            yield Found(key.literal.location, f"{key.what} stands in the source", key.certainty)


RULE = Rule(
    id="WW208",
    name="secret-in-source",
    severity=Severity.ERROR,
    summary="The key that signs tokens stands in the source",
    why=(
        "Whoever reads the repository, an image or a backup of it can sign a token for any user, and no log will "
        "show it. A key in the source is the same everywhere, and cannot be changed without a release."
    ),
    fix=(
        "Read the key from the environment or a secret store, without a default, and change the one that was committed."
    ),
    bad="""\
import jwt
from fastapi import FastAPI

app = FastAPI()
SECRET_KEY = "1c7b2e09f4ad5836e1f0c49d7ba8635210fe9d84c7b6a5f3"


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
    references=("CWE-321", "CWE-798"),
    check=check,
)
