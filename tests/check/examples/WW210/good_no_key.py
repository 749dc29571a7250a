import jwt
from fastapi import FastAPI, HTTPException

app = FastAPI()
SALT = "reset"


def key_id(token: str) -> str:
    return jwt.decode(token, "none", options={"verify_signature": False})["iss"]


def header(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


@app.get("/me")
def me(token: str, key: str = "abc") -> object:
    if key_id(token) != "me":
        raise HTTPException(401)
    secret = key * 3
    return jwt.decode(token, secret, algorithms=["HS256"])
