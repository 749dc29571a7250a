import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    ACCESS_TOKEN_EXPIRE_MINUTES: int = 60 * 24 * 8


settings = Settings()
app = FastAPI()


def create_access_token(subject: str, lifetime: timedelta) -> str:
    claims = {"sub": subject, "exp": datetime.now(UTC) + lifetime}
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")


@app.post("/login/access-token")
def login(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    return {"access_token": create_access_token(form.username, lifetime), "token_type": "bearer"}
