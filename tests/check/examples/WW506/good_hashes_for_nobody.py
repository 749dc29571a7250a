"""An unknown user costs as much as a known one."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
users = {"johndoe": {"hashed_password": password_hash.hash(os.urandom(16).hex())}}
DUMMY_HASH = password_hash.hash(os.urandom(16).hex())


def authenticate_user(username: str, password: str):
    user = users.get(username)
    if not user:
        password_hash.verify(password, DUMMY_HASH)
        return None
    return user if password_hash.verify(password, user["hashed_password"]) else None


@app.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = authenticate_user(form.username, form.password)
    if not user:
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": os.urandom(16).hex(), "token_type": "bearer"}
