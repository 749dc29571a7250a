import os

import jwt as pyjwt
from fastapi import FastAPI
from jose import jwt

app = FastAPI()
OPTIONS = {"require": ["sub", "exp"], "verify_aud": True}
KEYS = pyjwt.PyJWKClient("https://login.example.com/jwks")


@app.get("/one")
def one(token: str) -> object:
    return pyjwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options=OPTIONS, audience="orders")


@app.get("/two")
def two(token: str) -> object:
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"], options={"require_exp": True})


@app.get("/three")
def three(token: str) -> object:
    return pyjwt.decode(token, KEYS.get_signing_key_from_jwt(token), algorithms=["RS256"], audience="orders")
