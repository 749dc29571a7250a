"""Authlib and joserfc: validated at once, by the caller, by hand, or where it cannot be followed; and no login at all."""

import os
import time

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from joserfc import jwt
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry, Token

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="token")
KEY = OctKey.import_key(os.environ.get("KEY", os.urandom(32)))
REGISTRY = JWTClaimsRegistry(exp={"essential": True})
sessions: dict[str, dict[str, str]] = {}
checks = {"default": print}


def at_once(token: str = Depends(oauth2)) -> str:
    from authlib.jose import jwt as authlib_jwt

    claims = authlib_jwt.decode(token, "key")
    claims.validate()
    return claims["sub"]


def decoded(token: str) -> Token:
    return jwt.decode(token, KEY, algorithms=["HS256"])


def by_the_caller(token: str = Depends(oauth2)) -> str:
    found = decoded(token)
    REGISTRY.validate(found.claims)
    return found.claims["sub"]


def by_hand(token: str = Depends(oauth2)) -> str:
    found = jwt.decode(token, KEY, algorithms=["HS256"])
    if found.claims["exp"] < time.time():
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return found.claims["sub"]


def elsewhere(token: str = Depends(oauth2)) -> str:
    found = jwt.decode(token, KEY, algorithms=["HS256"])
    checks[os.environ.get("CHECK", "default")](found)
    return found.claims["sub"]


def by_its_row(token: str = Depends(oauth2)) -> str:
    """The row that has the number says when it ends."""
    found = jwt.decode(token, KEY, algorithms=["HS256"])
    return sessions[found.claims["jti"]]["user_id"]


def where_to_go_on(state: str) -> str:
    return jwt.decode(state, KEY, algorithms=["HS256"]).claims["return_url"]


@app.get("/me")
def me(
    one: str = Depends(at_once),
    two: str = Depends(by_the_caller),
    three: str = Depends(by_hand),
    four: str = Depends(elsewhere),
    five: str = Depends(by_its_row),
) -> list[str]:
    return [one, two, three, four, five]


@app.get("/back")
def back(state: str) -> str:
    return where_to_go_on(state)
