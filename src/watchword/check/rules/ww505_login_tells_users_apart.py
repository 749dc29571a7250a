"""WW505: a login that says that there is no such user."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from watchword.check.model import Certainty, Found, Location, Rule, Severity
from watchword.check.source import Node
from watchword.check.subject import Subject

_USER: Final = r"(user|user ?name|e-?mail( address)?|account)"
_SAYS_UNKNOWN: Final = re.compile(
    rf"{_USER}[ _](is |was |could )?(not|n't)[ _](be )?(found|exist|registered|known)"
    rf"|{_USER} (does not|doesn't|doesnt) exist|no[ _]such[ _]{_USER}|unknown[ _]{_USER}\b"
    rf"|no {_USER} (found|registered|exists|with)|(incorrect|invalid|wrong)[ _]{_USER}\b",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[\w.%+-]+(@|%40)([\w-]+\.)*example\.com['\"]?\s*")
_SPEAKS_OF_BOTH: Final = re.compile(r"passw|credential|\bpwd\b|\bpin\b", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Found]:
    """Each login that gives such a reason to somebody who does not exist."""
    for asked in subject.probed.logins if subject.probed is not None else ():
        handler = subject.handler(asked.route)
        if handler is None or not asked.short_named:
            continue
        text = _NAME.sub("", asked.short_named[0].text)
        reason = _SAYS_UNKNOWN.search(text)
        if reason is not None and not _SPEAKS_OF_BOTH.search(text):
            message = f"POST {asked.route.path} tells somebody who does not exist: {reason[0]!r}"
            yield Found(_location(subject, handler, reason[0]), message, Certainty.LIKELY)


def _location(subject: Subject, handler: Node[ast.AST], reason: str) -> Location:
    """Where the words stand, if they stand in one place."""
    said = [
        node.location
        for node in subject.sources.all(ast.Constant)
        if isinstance(node.syntax.value, str) and reason in node.syntax.value
    ]
    return said[0] if len(said) == 1 else handler.location


RULE = Rule(
    id="WW505",
    name="login-tells-users-apart",
    severity=Severity.WARNING,
    summary="A login says that there is no such user",
    why=(
        "Whoever asks with a list of addresses learns which of them have an account: whom to phish, and where to try "
        "the passwords that leaked elsewhere. For some sites, having an account is the secret."
    ),
    fix="Give one answer, in status and words, to an unknown user and to a wrong password.",
    bad="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
USERS = {}


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    if form.username not in USERS:
        raise HTTPException(401, "User not found", {"WWW-Authenticate": "Bearer"})
    raise HTTPException(401, "Wrong password", {"WWW-Authenticate": "Bearer"})
""",
    good="""\
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
""",
    references=("OWASP ASVS 6.3.8", "CWE-204"),
    check=check,
    needs_probe=True,
)
