import os
import secrets

import jwt
from fastapi import FastAPI
from pydantic_settings import BaseSettings

PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----"""
AWS_SECRET_KEY_NAME = "orders/secret-key"
SECRET_KEY_HEADER = "X-Secret-Key"


class Settings(BaseSettings):
    secret_key: str = secrets.token_urlsafe(32)
    stripe_secret_key: str = ""


settings = Settings()
app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, PUBLIC_KEY, algorithms=["EdDSA"])


@app.get("/you")
def you(token: str) -> object:
    return jwt.decode(token, settings.secret_key, algorithms=["HS256"])


@app.get("/them")
def them(token: str) -> object:
    return jwt.decode(token, os.environ.get("KEY", ""), algorithms=["HS256"])
