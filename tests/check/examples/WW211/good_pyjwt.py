import os

import jwt
from fastapi import FastAPI

JOSE = "jose"
app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    """Not with python-jose: import jose is what we left."""
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])
