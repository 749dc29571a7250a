import jwt
from fastapi import FastAPI

app = FastAPI()
PRIVATE = "-----BEGIN PRIVATE KEY-----\nMC4CAQ not a real one\n-----END PRIVATE KEY-----"


@app.post("/token")
def token(user: str, expires: int) -> str:
    return jwt.encode({"sub": user, "exp": expires}, PRIVATE, algorithm="EdDSA")
