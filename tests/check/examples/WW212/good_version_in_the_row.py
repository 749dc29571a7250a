import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class User:
    name = "alice"
    token_version = 3


def sign(user: User) -> str:
    claims = {"sub": user.name, "ver": user.token_version, "exp": datetime.now(UTC) + timedelta(days=30)}
    return jwt.encode(claims, os.environ["KEY"], algorithm="HS256")


def current_user(token: str = Depends(bearer)) -> User:
    claims = jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])
    if claims["ver"] != User.token_version:
        raise HTTPException(401)
    return User()


@app.post("/token")
def token() -> dict[str, str]:
    return {"access_token": sign(User()), "token_type": "bearer"}


@app.get("/me")
def me(user: User = Depends(current_user)) -> str:
    return user.name
