from typing import Protocol

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

oauth2 = OAuth2PasswordBearer(tokenUrl="login", auto_error=False)


class Users(Protocol):
    async def by_token(self, token: str) -> dict[str, str] | None: ...


def users() -> Users:
    raise NotImplementedError


async def current_user(token: str | None = Depends(oauth2), repository: Users = Depends(users)):
    if token is None:
        raise HTTPException(401)
    user = await repository.by_token(token)
    if user is None:
        raise HTTPException(401)
    return user


app = FastAPI()


@app.post("/login")
def login() -> None: ...


@app.get("/me")
async def me(user: dict[str, str] = Depends(current_user)):
    return user
