import datetime
import os

import jwt
from fastapi import FastAPI

app = FastAPI()
LIFETIME = datetime.timedelta(minutes=30)


def expiry() -> datetime.datetime:
    return datetime.datetime.now() + LIFETIME


class Tokens:
    def issue(self, user: str) -> str:
        payload = {"sub": user}
        payload["exp"] = expiry()
        return jwt.encode(payload, os.environ["SECRET_KEY"], algorithm="HS256")


@app.post("/token")
def token(user: str) -> str:
    return Tokens().issue(user)
