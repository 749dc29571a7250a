"""Logins can be shut for all: nobody learns anything from how soon."""

import os

import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
users = {"alice": bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt(rounds=8))}


class Maintenance:
    is_on = True


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()):
    if Maintenance.is_on:
        raise HTTPException(503, "We are back soon", {"Retry-After": "60"})
    if form.username not in users or not bcrypt.checkpw(form.password.encode(), users[form.username]):
        raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
    return {"access_token": os.urandom(16).hex(), "token_type": "bearer"}
