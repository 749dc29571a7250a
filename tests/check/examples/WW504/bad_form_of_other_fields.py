"""A form, but not the standard's: the field is called email."""

import os
import secrets

import bcrypt
from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
rounds = bcrypt.gensalt(rounds=8)
users = {"bob@example.com": bcrypt.hashpw(os.urandom(16).hex().encode(), rounds)}
nobody = bcrypt.hashpw(b"nobody", rounds)
tokens: dict[str, str] = {}


@app.post("/token")
def token(email: str = Form(...), password: str = Form(...)):
    if not bcrypt.checkpw(password.encode(), users.get(email, nobody)) or email not in users:
        raise HTTPException(400, "Wrong email or password")
    token = secrets.token_urlsafe(32)
    tokens[token] = email
    return {"access_token": token, "token_type": "bearer"}


async def caller(token: str = Depends(oauth2_scheme)):
    if token not in tokens:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return tokens[token]


@app.get("/me")
async def me(user: str = Depends(caller)):
    return user
