"""Clocks differ, but not by a day. The token is in a cookie."""

import os
from typing import Annotated

import jwt
from fastapi import APIRouter, Cookie, Depends, FastAPI, HTTPException
from pydantic import SecretStr
from pydantic_settings import BaseSettings


class Config(BaseSettings):
    SECRET_KEY: SecretStr = SecretStr(os.urandom(32).hex())


config = Config()
AUDIENCE = "shop"


class Tokens:
    def __init__(self, leeway: int) -> None:
        self.leeway = leeway

    def read(self, token: str) -> dict[str, object]:
        return jwt.decode(
            token,
            config.SECRET_KEY.get_secret_value(),
            algorithms=["HS512"],
            audience=AUDIENCE,
            leeway=self.leeway,
            options={"require": ["exp"]},
        )


tokens = Tokens(leeway=24 * 3600)


async def signed_in(access_token: Annotated[str, Cookie()] = "") -> str:
    try:
        return str(tokens.read(access_token)["sub"])
    except jwt.InvalidTokenError:
        raise HTTPException(status_code=401, detail="Sign in first", headers={"WWW-Authenticate": "Cookie"}) from None


router = APIRouter(prefix="/account")


@router.get("/orders")
async def orders(name: Annotated[str, Depends(signed_in)], page: int) -> dict[str, object]:
    return {"of": name, "page": page}


app = FastAPI()
app.include_router(router)
