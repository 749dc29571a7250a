import os
import time

import jwt
from fastapi import Cookie, FastAPI, Response

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


def create_token(subject: str, kind: str, seconds: int) -> str:
    return jwt.encode({"sub": subject, "type": kind, "exp": int(time.time()) + seconds}, KEY, algorithm="HS256")


def set_refresh_cookie(response: Response, token: str) -> None:
    response.set_cookie("refresh_token", token, httponly=True, secure=True, samesite="strict")


@app.post("/auth/refresh")
def refresh(response: Response, refresh_token: str = Cookie()) -> dict[str, str]:
    claims = jwt.decode(refresh_token, KEY, algorithms=["HS256"])
    set_refresh_cookie(response, create_token(claims["sub"], "refresh", 86400))
    return {"access_token": create_token(claims["sub"], "access", 600), "token_type": "bearer"}
