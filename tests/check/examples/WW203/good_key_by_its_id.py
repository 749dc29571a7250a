import jwt
from fastapi import FastAPI

app = FastAPI()
KEYS: dict[str, str] = {}


def claims(token: str):
    key = KEYS[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, algorithms=["ES256"], options={"require": ["exp"]})
