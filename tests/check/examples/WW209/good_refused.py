import warnings
from typing import Literal, Self

import jwt
from fastapi import FastAPI
from pydantic import model_validator
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    SECRET_KEY: str = "changethis"
    ENVIRONMENT: Literal["local", "staging", "production"] = "local"

    def _check_default_secret(self, name: str, value: str | None) -> None:
        if value == "changethis":
            message = f"The value of {name} is 'changethis', change it"
            if self.ENVIRONMENT == "local":
                warnings.warn(message, stacklevel=1)
            else:
                raise ValueError(message)

    @model_validator(mode="after")
    def _enforce_non_default_secrets(self) -> Self:
        self._check_default_secret("SECRET_KEY", self.SECRET_KEY)
        return self


class TestSettings(BaseSettings):
    jwt_secret: str = "test-secret"


settings = Settings()
app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, settings.SECRET_KEY, algorithms=["HS256"])
