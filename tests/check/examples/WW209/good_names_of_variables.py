import os
from enum import StrEnum

import jwt
from fastapi import FastAPI
from fastapi.security import APIKeyHeader


class Variables(StrEnum):
    JWT_SECRET = "my-secret"
    SECRET_KEY = "secret-key"


SECRET_KEY_VARIABLE = "JWT_SECRET_KEY"
secret_key = APIKeyHeader(name="secret-key")
app = FastAPI()


def key() -> str:
    return os.environ[SECRET_KEY_VARIABLE]


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, key(), algorithms=["HS256"])


@app.get("/you")
def you(token: str) -> object:
    return jwt.decode(token, os.environ[Variables.JWT_SECRET], algorithms=["HS256"])
