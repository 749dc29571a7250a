import os
import time

import jwt
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()


class Claims(BaseModel):
    sub: str
    exp: int


def claims(token: str) -> Claims:
    payload = jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"verify_exp": False})
    found = Claims(**payload)
    if found.exp < time.time() - 60:
        raise HTTPException(401)
    return found


def logged_out(token: str) -> str:
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"verify_exp": False})["jti"]


@app.post("/logout")
def logout(token: str) -> str:
    return logged_out(token)


@app.get("/me")
def me(token: str) -> str:
    return claims(token).sub
