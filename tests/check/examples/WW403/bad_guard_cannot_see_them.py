from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer

bearer = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "Yourself.", "items": "Items."})
app = FastAPI()


async def get_current_user(token: Annotated[str, Depends(bearer)]) -> str:
    if not token:
        raise HTTPException(status_code=401)
    return token


async def get_active_user(user: Annotated[str, Security(get_current_user)]) -> str:
    return user


@app.get("/me")
async def me(user: Annotated[str, Security(get_active_user, scopes=["me"])]) -> str:
    return user


@app.get("/items")
async def items(user: Annotated[str, Security(get_active_user, scopes=["items"])]) -> str:
    return user
