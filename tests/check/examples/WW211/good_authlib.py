import os

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import OctKey

app = FastAPI()


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, OctKey.import_key(os.environ["KEY"]), algorithms=["HS256"]).claims
