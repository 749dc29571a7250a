from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
db: dict[str, str] = {}


def verify_password(plain_password, hashed_password):
    return password_hash.verify(plain_password, hashed_password)


def authenticate_user(username: str, password: str):
    hashed = db.get(username, "")
    return verify_password(password, hashed)


@app.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    if not authenticate_user(form.username, form.password):
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": form.username, "token_type": "bearer"}
