"""As most tutorials have it."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
fake_users_db = {"johndoe": {"username": "johndoe", "hashed_password": password_hash.hash(os.urandom(16).hex())}}


def get_user(username: str):
    return fake_users_db.get(username)


def authenticate_user(username: str, password: str):
    user = get_user(username)
    if not user:
        return False
    if not password_hash.verify(password, user["hashed_password"]):
        return False
    return user


@app.post("/token")
async def login_for_access_token(form_data: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = authenticate_user(form_data.username, form_data.password)
    if not user:
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": os.urandom(16).hex(), "token_type": "bearer"}
