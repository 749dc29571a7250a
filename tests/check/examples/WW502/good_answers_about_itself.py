"""Opaque tokens, a public page, and one that wants a login."""

import hashlib
import os
import secrets
import time

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
passwords = PasswordHash.recommended()
USERS = {"alice": {"password_hash": passwords.hash(os.environ.get("ALICES_PASSWORD", "x"))}}
NOBODY = passwords.hash(secrets.token_urlsafe())
tokens: dict[bytes, tuple[str, float]] = {}


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def current_user(credentials=Depends(HTTPBearer())) -> str:
    name, until = tokens.get(digest(credentials.credentials), ("", 0.0))
    if until < time.time():
        raise HTTPException(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    return name


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    stored = USERS.get(form.username, {}).get("password_hash", NOBODY)
    if not passwords.verify(form.password, stored) or form.username not in USERS:
        raise HTTPException(400, "Incorrect username or password")
    token = secrets.token_urlsafe(32)
    tokens[digest(token)] = (form.username, time.time() + 900)
    return {"access_token": token, "token_type": "bearer"}


@app.get("/")
def home(request: Request) -> dict[str, bool]:
    return {"has_token": "authorization" in request.headers}


@app.get("/me")
def me(user: str = Depends(current_user)) -> dict[str, str]:
    return {"user": user}
