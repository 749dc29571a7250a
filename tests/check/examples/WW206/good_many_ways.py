import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from fastapi import FastAPI
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OctKey
from pydantic import BaseModel, Field

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


def expiring(claims: dict[str, Any], minutes: int) -> dict[str, Any]:
    return {**claims, "exp": datetime.now(UTC) + timedelta(minutes=minutes)}


def base_claims(user: str) -> dict[str, Any]:
    now = int(time.time())
    return dict(sub=user, iat=now, exp=now + 300)


class Payload(BaseModel):
    sub: str
    exp: int = Field(default_factory=lambda: int(time.time()) + 600)


def stamp(claims: dict[str, Any]) -> None:
    claims["exp"] = int(time.time()) + 60


def one(data: dict[str, Any], expires_delta: timedelta | None = None) -> str:
    to_encode = data.copy()
    if expires_delta:
        expire = datetime.now(UTC) + expires_delta
    else:
        expire = datetime.now(UTC) + timedelta(minutes=15)
    to_encode.update({"exp": expire})
    return jwt.encode(to_encode, KEY, algorithm="HS256")


def two(user: str) -> str:
    return jwt.encode(expiring({"sub": user}, 5), KEY, algorithm="HS256")


def three(user: str) -> str:
    claims = base_claims(user) | {"role": "admin"}
    return jwt.encode(claims, KEY, algorithm="HS256")


def four(user: str) -> str:
    return jwt.encode(Payload(sub=user).model_dump(), KEY, algorithm="HS256")


def five(user: str) -> str:
    claims = {"sub": user}
    stamp(claims)
    return jwt.encode(payload=claims, key=KEY, algorithm="HS256")


def six(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256")


def seven(user: str) -> str:
    return joserfc_jwt.encode({"alg": "HS256"}, base_claims(user), OctKey.import_key(KEY))


@app.post("/token")
def token(user: str) -> list[str]:
    return [one({"sub": user}), two(user), three(user), four(user), five(user), six(expiring({"sub": user}, 1)), seven(user)]
