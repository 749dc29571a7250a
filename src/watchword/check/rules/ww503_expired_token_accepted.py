"""WW503: tokens that are good for ever."""

from collections.abc import Iterator

from watchword.check.let_in import by_guard
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each guard that took a token of the app's own secret an hour after its end, and in time too."""
    if subject.probed is None:
        return
    late = (asked for asked in subject.probed.guarded if asked.expired is not None and asked.expired.is_success)
    for found in by_guard(subject, late):
        assert found.asked.expired is not None
        message = f"{found.route} answers {found.asked.expired.status} to a token that expired an hour ago"
        yield Found(found.location, message, Certainty.CERTAIN)


RULE = Rule(
    id="WW503",
    name="expired-token-accepted",
    severity=Severity.ERROR,
    summary="A token that has expired is accepted",
    why=(
        "Tokens leak: into logs, into backups, with a stolen laptop. Their end is what limits the harm, and often the "
        "only thing that does; here it is written into the token and nobody looks at it."
    ),
    fix="Verify `exp`, as the libraries do unless they are told not to, and require that it is there.",
    bad="""\
import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()
SECRET = "d5a2f6c0b9174e83a6d1f0c47b29e85d"


def caller(credentials=Depends(bearer)) -> str:
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    return claims["sub"]


@app.get("/me")
async def me(user: str = Depends(caller)):
    return {"user": user}
""",
    good="""\
import os

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()
SECRET = os.environ.get("SHOP_SECRET") or os.urandom(32).hex()


def caller(credentials=Depends(bearer)) -> str:
    try:
        claims = jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    return claims["sub"]


@app.get("/me")
async def me(user: str = Depends(caller)):
    return {"user": user}
""",
    references=("RFC 7519 §4.1.4", "OWASP ASVS 9.2.1", "CWE-613"),
    check=check,
    needs_probe=True,
)
