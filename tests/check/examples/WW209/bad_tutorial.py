from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

SECRET_KEY = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7"
ALGORITHM = "HS256"
ACCESS_TOKEN_EXPIRE_MINUTES = 30

app = FastAPI()


def create_access_token(data: dict[str, object]) -> str:
    expire = datetime.now(UTC) + timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
    return jwt.encode(data | {"exp": expire}, SECRET_KEY, algorithm=ALGORITHM)


@app.get("/me")
def me(token: str) -> object:
    return jwt.decode(token, SECRET_KEY, algorithms=[ALGORITHM])
