import logging

import jwt
from fastapi import FastAPI
from pydantic_settings import BaseSettings

DEFAULT_JWT_KEY = "efd08eccec3bd0a1be2e086670e5efa90969c68d07e072d7"


class Settings(BaseSettings):
    jwt_key: str | None = None


settings = Settings()
app = FastAPI()


def claims(token: str):
    jwt_key = settings.jwt_key
    if jwt_key is None:
        jwt_key = DEFAULT_JWT_KEY
        logging.error("set JWT_KEY")
    return jwt.decode(token, jwt_key, algorithms=["HS256"])
