"""The page greets whom it knows, and shows itself to everybody."""

import os
from typing import Annotated

import jwt
from fastapi import Cookie, Depends, FastAPI, HTTPException

app = FastAPI()
SECRET = os.environ.get("SECRET") or os.urandom(32).hex()


async def visitor(session_token: Annotated[str | None, Cookie()] = None) -> str | None:
    if session_token is None:
        return None
    try:
        claims = jwt.decode(session_token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Cookie"}) from None
    return str(claims["sub"])


async def user(name: Annotated[str | None, Depends(visitor)]) -> str:
    if name is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Cookie"})
    return name


@app.get("/")
async def shop(name: Annotated[str | None, Depends(visitor)]) -> dict[str, str]:
    return {"hello": name or "stranger"}


@app.get("/basket")
async def basket(name: Annotated[str, Depends(user)]) -> dict[str, str]:
    return {"of": name}
