# watchword-routes.toml
# version = 1
# [routes]
# "GET /orders" = "orders:read"
# "DELETE /orders" = "admin orders:write"
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

app = FastAPI()


def user(needed: SecurityScopes, token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]) -> str:
    if not set(needed.scopes) <= set(token.split()):
        raise HTTPException(status_code=403)
    return token


@app.get("/orders")
def orders(user: Annotated[str, Security(user, scopes=["orders:read"])]) -> list[int]:
    return []


@app.delete("/orders")
def delete(user: Annotated[str, Security(user, scopes=["orders:write"])]) -> None: ...
