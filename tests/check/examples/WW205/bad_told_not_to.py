import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="token")
KEY = os.environ.get("KEY", os.urandom(32).hex())


def create_access_token(subject: str) -> str:
    return jwt.encode({"sub": subject, "exp": datetime.now(UTC) + timedelta(minutes=5)}, KEY, algorithm="HS256")


async def current_user(token: str = Depends(oauth2)) -> str:
    payload = jwt.decode(token, KEY, algorithms=["HS256"], options={"verify_exp": False})
    return payload["sub"]


@app.post("/token")
async def login() -> dict[str, str]:
    return {"access_token": create_access_token("alice"), "token_type": "bearer"}


@app.get("/me")
async def me(user: str = Depends(current_user)) -> str:
    return user
