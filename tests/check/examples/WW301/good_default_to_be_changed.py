"""A new user who was given the default password has to choose another one."""

import os

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pwdlib import PasswordHash
from pydantic import BaseModel, SecretStr

app = FastAPI()
hasher = PasswordHash.recommended()


class Settings:
    default_user_password = SecretStr(os.environ.get("DEFAULT_USER_PASSWORD", ""))


settings = Settings()


class NewUser(BaseModel):
    name: str
    password: str


@app.post("/users", dependencies=[Depends(HTTPBearer())])
def create(user_request: NewUser) -> dict[str, bool]:
    stored = {"name": user_request.name, "hash": hasher.hash(user_request.password)}
    must_change = user_request.password == settings.default_user_password.get_secret_value()
    return {"must_change": must_change, "created": bool(stored)}
