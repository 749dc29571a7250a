import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = "4f1d9c27ab83e05624fd7b90c81ea365"


@app.post("/token")
def token(user: str, expires: int) -> str:
    return jwt.encode({"sub": user, "exp": expires}, KEY, algorithm="HS512")
