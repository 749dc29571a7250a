import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def sign(data: dict[str, object], lifetime: timedelta | None = None) -> str:
    payload = dict(data)
    if lifetime is not None:
        payload["exp"] = datetime.now(UTC) + lifetime
    return jwt.encode(payload, os.environ["KEY"], algorithm="HS256")


@app.post("/token")
def token(user: str) -> str:
    return sign({"sub": user}, lifetime=timedelta(minutes=5))


@app.post("/link")
def link(user: str) -> str:
    return sign({"sub": user, "exp": datetime.now(UTC) + timedelta(hours=1)})
