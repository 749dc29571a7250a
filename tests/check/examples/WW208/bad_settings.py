from functools import lru_cache

from fastapi import FastAPI
from jose import jwt
from pydantic import Field
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    jwt_secret_key: str = Field(default="jX2d7Lq0vRt5HnW8cYb3MzK6pGf1sAe9UoI4", alias="JWT_SECRET_KEY")
    algorithm: str = "HS256"


@lru_cache
def get_settings() -> Settings:
    return Settings()


app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    settings = get_settings()
    return jwt.decode(token, settings.jwt_secret_key, algorithms=[settings.algorithm])


@app.post("/token")
def token(user: str) -> str:
    return jwt.encode({"sub": user}, get_settings().jwt_secret_key, algorithm=get_settings().algorithm)
