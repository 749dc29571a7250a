import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


def create_access_token(data: dict[str, object], expires_delta: timedelta | None = None) -> str:
    to_encode = data.copy()
    expire = datetime.now(UTC) + (expires_delta or timedelta(minutes=15))
    to_encode.update({"exp": expire})
    return jwt.encode(to_encode, KEY, algorithm="HS256")


def read(token: str) -> dict[str, object]:
    return jwt.decode(token, KEY, algorithms=["HS256"])


@app.post("/token")
def token() -> dict[str, str]:
    return {"access_token": create_access_token({"sub": "alice"}), "token_type": "bearer"}


@app.get("/me")
def me(token: str) -> object:
    return read(token)["sub"]
