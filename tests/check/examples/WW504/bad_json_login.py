"""The login is for the app's own pages, which send JSON."""

import os
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pwdlib import PasswordHash
from pydantic import BaseModel, EmailStr

oauth2_scheme = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/login")
auth = APIRouter(prefix="/auth")
hasher = PasswordHash.recommended()
users = {"alice@example.com": hasher.hash(os.urandom(16).hex())}
nobody = hasher.hash(os.urandom(16).hex())
tokens: dict[str, str] = {}


class LoginRequest(BaseModel):
    email: EmailStr
    password: str


@auth.post("/login")
def login(body: LoginRequest) -> dict[str, str]:
    if not hasher.verify(body.password, users.get(body.email, nobody)) or body.email not in users:
        raise HTTPException(401, "Wrong email or password", {"WWW-Authenticate": "Bearer"})
    token = secrets.token_urlsafe(32)
    tokens[token] = body.email
    return {"access_token": token, "token_type": "bearer"}


def current_user(token: Annotated[str, Depends(oauth2_scheme)]) -> str:
    if token not in tokens:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return tokens[token]


@auth.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user


app = FastAPI()
app.include_router(auth, prefix="/api/v1")
