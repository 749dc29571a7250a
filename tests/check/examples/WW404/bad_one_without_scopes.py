from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

bearer = OAuth2PasswordBearer(tokenUrl="token")
router = APIRouter(prefix="/orders")


async def get_user(needed: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> str:
    if not set(needed.scopes) <= set(token.split()):
        raise HTTPException(status_code=403)
    return token


@router.get("/")
async def orders(user: Annotated[str, Security(get_user, scopes=["orders:read"])]) -> str:
    return user


@router.post("/")
async def create(user: Annotated[str, Security(get_user, scopes=["orders:write"])]) -> str:
    return user


@router.delete("/{id}")
async def delete(id: int, user: Annotated[str, Depends(get_user)]) -> str:
    return user


app = FastAPI()
app.include_router(router)
