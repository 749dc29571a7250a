import os
import time

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


class Tokens:
    def __init__(self, key: str) -> None:
        self.key = key

    def create(self, subject: str) -> str:
        return jwt.encode({"sub": subject, "exp": int(time.time()) + 600}, self.key, algorithm="HS256")


tokens = Tokens(os.getenv("TOKEN_KEY") or os.urandom(32).hex())


@app.post("/token")
async def login(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str | None]:
    if form.username == "admin":
        return {"access_token": "", "token_type": "bearer", "next": "second-factor"}
    access_token = tokens.create(form.username)
    return {"access_token": access_token, "token_type": "bearer", "email": form.username}
