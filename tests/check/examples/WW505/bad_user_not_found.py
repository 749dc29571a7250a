import os
from dataclasses import dataclass

import bcrypt
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


@dataclass
class User:
    username: str
    hashed_password: bytes


class UserService:
    def __init__(self) -> None:
        hashed = bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt(rounds=8))
        self.users = {user.username: user for user in [User(username="alice", hashed_password=hashed)]}

    def authenticate(self, username: str, password: str) -> User:
        user = self.users.get(username)
        if user is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, detail=f"User {username} was not found")
        if not bcrypt.checkpw(password.encode(), user.hashed_password):
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Wrong password", {"WWW-Authenticate": "Bearer"})
        return user


service = UserService()


@app.post("/login")
async def login(form: OAuth2PasswordRequestForm = Depends()):
    return {"access_token": service.authenticate(form.username, form.password).username, "token_type": "bearer"}
