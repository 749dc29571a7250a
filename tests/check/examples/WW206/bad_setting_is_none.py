from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    key: str = ""
    lifetime: timedelta | None = None


settings = Settings()
app = FastAPI()


def create_token(subject: str, lifetime: timedelta | None = None) -> str:
    claims: dict[str, object] = {"sub": subject}
    if lifetime:
        claims["exp"] = datetime.now(UTC) + lifetime
    return jwt.encode(claims, settings.key, algorithm="HS256")


@app.post("/token")
def token() -> str:
    return create_token("alice", settings.lifetime)
