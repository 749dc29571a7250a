import os
import time
from datetime import datetime, timedelta, timezone

import jwt
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


class Order(BaseModel):
    made_at: datetime


def now() -> datetime:
    return datetime.now(tz=timezone.utc)


def create_access_token(user: str, expires_delta: timedelta | None = None) -> str:
    expire = now() + (expires_delta or timedelta(minutes=15))
    return jwt.encode({"sub": user, "iat": now(), "exp": expire}, KEY, algorithm="HS256")


def by_clock(user: str) -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 900}, KEY, algorithm="HS256")


@app.post("/orders")
def add() -> Order:
    return Order(made_at=datetime.utcnow())


@app.post("/token")
def token(user: str) -> list[str]:
    return [create_access_token(user), by_clock(user)]
