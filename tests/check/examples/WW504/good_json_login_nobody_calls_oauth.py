"""A JSON login, and a scheme that promises no token endpoint here."""

import os
import secrets

import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer, OAuth2AuthorizationCodeBearer
from pydantic import BaseModel

app = FastAPI()
bearer = HTTPBearer()
sso = OAuth2AuthorizationCodeBearer("https://sso.example.com/authorize", tokenUrl="/login")
salt = bcrypt.gensalt(rounds=8)
users = {"alice": bcrypt.hashpw(os.urandom(16).hex().encode(), salt)}
nobody = bcrypt.hashpw(b"nobody", salt)
tokens: dict[str, str] = {}


class Login(BaseModel):
    user_name: str
    password: str


@app.post("/login")
def login(body: Login):
    if not bcrypt.checkpw(body.password.encode(), users.get(body.user_name, nobody)) or body.user_name not in users:
        raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
    token = secrets.token_urlsafe(32)
    tokens[token] = body.user_name
    return {"token": token}


def user(credentials=Depends(bearer)) -> str:
    if credentials.credentials not in tokens:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return tokens[credentials.credentials]


@app.get("/me")
def me(name: str = Depends(user)):
    return name


@app.get("/sso/me", dependencies=[Depends(sso), Depends(user)])
def sso_me(): ...
