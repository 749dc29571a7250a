from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

bearer = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


async def get_user(needed: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> str:
    if not set(needed.scopes) <= set(token.split()):
        raise HTTPException(status_code=403)
    return token


@app.get("/orders")
async def orders(user: Annotated[str, Security(get_user, scopes=["orders:read"])]) -> str:
    return user


@app.post("/orders")
async def create(user: Annotated[str, Security(get_user, scopes=["orders:write"])]) -> str:
    return user


@app.get("/users/me")
async def me(user: Annotated[str, Depends(get_user)]) -> str:
    return user


@app.get("/status")
async def status(user: Annotated[str, Depends(get_user)]) -> str:
    return user
