import os

import jwt
from fastapi import FastAPI
from starlette.middleware.sessions import SessionMiddleware

SECRET_KEY = os.getenv("SECRET_KEY") or "7f3c9a51d2e8460bb1a7c5e9f0d3846227ab"

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=SECRET_KEY)


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"])
