import os

import jwt
from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

KEY = "9a51d2e8460bb1a7c5e9f0d3846227ab"
app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key="9a51d2e8460bb1a7c5e9")


@app.post("/token")
def token(user: str, expires: int) -> str:
    return jwt.encode({"sub": user, "exp": expires}, KEY, algorithm="HS256")


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, os.getenv("PUBLIC_KEY"), algorithms=["RS256"])
