import logging
import os

from fastapi import FastAPI, HTTPException
from pwdlib import PasswordHash
from pydantic import BaseModel

log = logging.getLogger(__name__)
app = FastAPI()
hasher = PasswordHash.recommended()
users = {"alice": hasher.hash(os.urandom(16).hex())}
nobody = hasher.hash(os.urandom(16).hex())


class UnknownUser(Exception):
    pass


class WrongPassword(Exception):
    pass


class Credentials(BaseModel):
    username: str
    password: str


def authenticate(credentials: Credentials) -> str:
    is_right = hasher.verify(credentials.password, users.get(credentials.username, nobody))
    if credentials.username not in users:
        raise UnknownUser("no such user")
    if not is_right:
        raise WrongPassword("wrong password")
    return credentials.username


@app.post("/login")
def login(credentials: Credentials):
    try:
        return {"user": authenticate(credentials)}
    except (UnknownUser, WrongPassword) as error:
        log.info("login refused: %s", error)
        raise HTTPException(401, "Invalid username or password", {"WWW-Authenticate": "Session"}) from None
