from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

app = FastAPI()
password_hash = PasswordHash.recommended()
DUMMY_HASH = password_hash.hash("dummypassword")
users: dict[str, dict[str, str]] = {}


def verify_password(plain_password: str, hashed_password: str) -> bool:
    return password_hash.verify(plain_password, hashed_password)


def authenticate_user(username: str, password: str):
    user = users.get(username)
    if not user:
        verify_password(password, DUMMY_HASH)
        return None
    if not verify_password(password, user["hashed_password"]):
        return None
    return user


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = authenticate_user(form.username, form.password)
    if user is None:
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": user["username"], "token_type": "bearer"}
