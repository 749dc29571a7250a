import jwt
from fastapi import FastAPI

app = FastAPI()


def claims(token: str, key: str):
    algorithm = jwt.get_unverified_header(token)["alg"]
    return jwt.decode(token, key, algorithms=[algorithm], options={"require": ["exp"]})
