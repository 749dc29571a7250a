from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from pydantic import BaseModel

app = FastAPI()
hasher = PasswordHash.recommended()
fake_users_db = {"anna": {"username": "anna", "hashed_password": hasher.hash("…"), "disabled": False}}


class User(BaseModel):
    username: str
    disabled: bool | None = None


class UserInDB(User):
    hashed_password: str


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = UserInDB(**fake_users_db[form.username])
    if not hasher.verify(form.password, user.hashed_password):
        raise HTTPException(400, "Incorrect username or password")
    return {"access_token": user.username, "token_type": "bearer"}


@app.get("/users/{name}")
def read(name: str) -> User:
    return User(username=name, disabled=UserInDB(**fake_users_db[name]).disabled)
