"""WW502: tokens that anybody can make."""

from collections.abc import Iterator

from watchword.check.forging import Forged
from watchword.check.let_in import by_guard
from watchword.check.model import Certainty, Found, Rule, Severity
from watchword.check.subject import Subject


def check(subject: Subject) -> Iterator[Found]:
    """Each guard that refused a call without a token, and let one with a forged token in."""
    if subject.probed is None:
        return
    for found in by_guard(subject, (asked for asked in subject.probed.guarded if asked.forged)):
        kind = next(kind for kind in Forged if kind in found.asked.forged)
        message = f"{found.route} answers {found.asked.forged[kind].status} to {kind}"
        if found.asked.anonymous is not None:
            message += f", and {found.asked.anonymous.status} without a token"
        yield Found(found.location, message, Certainty.CERTAIN)


RULE = Rule(
    id="WW502",
    name="unsigned-token-accepted",
    severity=Severity.ERROR,
    summary="A token that anybody can make is accepted",
    why=(
        "The token is read and not verified: whoever writes a name into one is that user. A signature is only worth "
        "something if a token without it, or with another one, is refused."
    ),
    fix="Verify the signature with your own key, and with the one algorithm you sign with, before anything is read.",
    bad="""\
import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


def caller(token: str = Depends(bearer)) -> str:
    return jwt.decode(token, options={"verify_signature": False})["sub"]


@app.get("/me")
async def me(user: str = Depends(caller)):
    return {"user": user}
""",
    good="""\
import os

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
SECRET = os.environ.get("SHOP_SECRET") or os.urandom(32).hex()


def caller(token: str = Depends(bearer)) -> str:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    return claims["sub"]


@app.get("/me")
async def me(user: str = Depends(caller)):
    return {"user": user}
""",
    references=("RFC 8725 §3.1", "RFC 8725 §3.3", "OWASP ASVS 9.1.1", "CWE-347"),
    check=check,
    needs_probe=True,
)
