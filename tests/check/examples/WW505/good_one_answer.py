"""Says much, and the same to all."""

import os
from typing import Annotated

import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
salt = bcrypt.gensalt(rounds=8)
USERS = {"alice": bcrypt.hashpw(os.urandom(16).hex().encode(), salt)}
NOBODY = bcrypt.hashpw(b"nobody", salt)
REFUSED = HTTPException(
    401, "User not found, or the password is wrong. Is the account registered?", {"WWW-Authenticate": "Bearer"}
)


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    if not bcrypt.checkpw(form.password.encode(), USERS.get(form.username, NOBODY)) or form.username not in USERS:
        raise REFUSED
    return {"access_token": os.urandom(16).hex(), "token_type": "bearer"}


@app.get("/users/{name}")
def user(name: str):
    if name not in USERS:
        raise HTTPException(404, "User not found")
    return {"name": name}
