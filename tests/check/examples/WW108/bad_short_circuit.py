from typing import Annotated

import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel

app = FastAPI()


class User(BaseModel):
    name: str
    password_hash: bytes

    def check_password(self, password: str) -> bool:
        return bcrypt.checkpw(password.encode(), self.password_hash)


class Users:
    async def by_name(self, name: str) -> User | None:
        return None


class Logins:
    def __init__(self) -> None:
        self.users = Users()

    async def authenticate(self, name: str, password: str) -> User:
        user = await self.users.by_name(name)
        if user is None or not user.check_password(password):
            raise HTTPException(401, "Wrong name or password", {"WWW-Authenticate": "Bearer"})
        return user


@app.post("/login")
async def login(form: Annotated[OAuth2PasswordRequestForm, Depends()], logins: Annotated[Logins, Depends()]):
    user = await logins.authenticate(form.username, form.password)
    return {"access_token": user.name, "token_type": "bearer"}
