import os
from uuid import uuid4

import jwt
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Payload(BaseModel):
    sub: str
    jti: str
    roles: list[str] = []


class TokenService:
    def __init__(self, key: str) -> None:
        self._key = key

    def issue(self, user_id: int) -> str:
        payload = Payload(sub=str(user_id), jti=uuid4().hex)
        return jwt.encode(payload.model_dump(), self._key, algorithm="HS256")


service = TokenService(os.environ.get("TOKEN_KEY", os.urandom(32).hex()))


@app.post("/login")
def login(user_id: int) -> dict[str, str]:
    return {"access_token": service.issue(user_id), "token_type": "bearer"}
