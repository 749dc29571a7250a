import os

import jwt
from fastapi import FastAPI
from pydantic import model_validator
from pydantic_settings import BaseSettings

INSECURE = "8e1f0b7c5d3a9246f0e1d2c3b4a5968778695a4b3c2d1e0f"


class Settings(BaseSettings):
    environment: str = "local"
    jwt_secret: str = INSECURE

    @model_validator(mode="after")
    def secret_is_set(self) -> "Settings":
        if self.environment != "local" and self.jwt_secret == INSECURE:
            raise ValueError("set JWT_SECRET")
        return self


settings = Settings()
SESSION_SECRET = os.getenv("SESSION_SECRET", "51d2e8460bb1a7c5e9f0d3846227ab7f3c9a")
if SESSION_SECRET == "51d2e8460bb1a7c5e9f0d3846227ab7f3c9a" and settings.environment == "production":
    raise RuntimeError("set SESSION_SECRET")

app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, settings.jwt_secret, algorithms=["HS256"])


@app.get("/you")
def you(token: str) -> object:
    return jwt.decode(token, SESSION_SECRET, algorithms=["HS256"])
