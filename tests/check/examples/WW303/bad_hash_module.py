import passlib.hash
from fastapi import FastAPI

app = FastAPI()


def hashed(password: str) -> str:
    return passlib.hash.pbkdf2_sha256.hash(password)


@app.get("/")
def index() -> str:
    return hashed("x")
