import os
from datetime import datetime, timedelta

from fastapi import FastAPI
from jose import jwt

app = FastAPI()


def create_access_token(data: dict[str, object], expires_delta: timedelta | None = None) -> str:
    to_encode = data.copy()
    if expires_delta:
        expire = datetime.utcnow() + expires_delta
    else:
        expire = datetime.utcnow() + timedelta(minutes=15)
    to_encode.update({"exp": expire, "iat": datetime.utcnow()})
    return jwt.encode(to_encode, os.environ["SECRET_KEY"], algorithm="HS256")


@app.post("/token")
def token(user: str) -> str:
    return create_access_token({"sub": user})
