from fastapi import FastAPI
from jwt import decode as read_token

app = FastAPI()
KEY = "k" * 40


@app.get("/me")
def me(token: str) -> object:
    return read_token(token, KEY)
