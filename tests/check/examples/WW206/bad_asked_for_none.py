import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def create_token(subject: str, lifetime: timedelta | None = None) -> str:
    claims: dict[str, object] = {"sub": subject}
    if lifetime is not None:
        claims["exp"] = datetime.now(UTC) + lifetime
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")


@app.post("/token")
def token() -> str:
    return create_token("alice", lifetime=None)


@app.post("/short")
def short() -> str:
    return create_token("alice", timedelta(minutes=5))
