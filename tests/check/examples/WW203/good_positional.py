import jwt
from fastapi import FastAPI

app = FastAPI()
ALGORITHMS = ["ES256"]


@app.get("/me")
def me(token: str, key: str) -> object:
    return jwt.decode(token, key, ALGORITHMS)
