"""The library is told not to, and the app does it: the answer says that the token is old, so that clients refresh it."""

import os
import time
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
SECRET = os.environ.get("SECRET") or os.urandom(32).hex()


def refused(why: str) -> HTTPException:
    return HTTPException(401, why, {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def caller(token: Annotated[str, Depends(bearer)]) -> str:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "require": ["exp"]})
    except jwt.InvalidTokenError:
        raise refused("This is no token of ours") from None
    if claims["exp"] < time.time():
        raise refused("The token has expired")
    return claims["sub"]


@app.get("/me")
def me(name: Annotated[str, Depends(caller)]) -> dict[str, str]:
    return {"name": name}
