"""The standard's form, whose username has to be an address here; and a JSON login of its own beside it."""

import os
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pwdlib import PasswordHash
from pydantic import BaseModel, EmailStr

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
hasher = PasswordHash.recommended()
users = {"alice@example.com": hasher.hash(os.urandom(16).hex())}
nobody = hasher.hash(os.urandom(16).hex())
tokens: dict[str, str] = {}


class Credentials(BaseModel):
    username: EmailStr
    password: str


def issue(credentials: Credentials) -> dict[str, str]:
    stored = users.get(credentials.username, nobody)
    if not hasher.verify(credentials.password, stored) or credentials.username not in users:
        raise HTTPException(401, "Wrong email or password", {"WWW-Authenticate": "Bearer"})
    token = secrets.token_urlsafe(32)
    tokens[token] = credentials.username
    return {"access_token": token, "token_type": "bearer"}


@app.post("/token")
def token(credentials: Annotated[Credentials, Form()]) -> dict[str, str]:
    return issue(credentials)


@app.post("/login")
def login(credentials: Credentials) -> dict[str, str]:
    return issue(credentials)


@app.get("/me")
def me(token: Annotated[str, Depends(bearer)]) -> str:
    if token not in tokens:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return tokens[token]
