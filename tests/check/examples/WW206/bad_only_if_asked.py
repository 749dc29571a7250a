import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()


def create_access_token(data: dict[str, object], expires_delta: timedelta | None = None) -> str:
    to_encode = data.copy()
    if expires_delta:
        to_encode["exp"] = datetime.now(UTC) + expires_delta
    return jwt.encode(to_encode, os.environ["SECRET_KEY"], algorithm="HS256")


@app.post("/token")
def token(form: OAuth2PasswordRequestForm = Depends()) -> dict[str, str]:
    return {"access_token": create_access_token({"sub": form.username}), "token_type": "bearer"}


@app.post("/invitations")
def invite(email: str) -> dict[str, str]:
    return {"token": create_access_token({"invited": email}, timedelta(days=2))}
