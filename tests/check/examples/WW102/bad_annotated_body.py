from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

router = APIRouter(prefix="/auth")
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="auth/login")


@router.post("/login")
async def login(username: Annotated[str, Body()], password: Annotated[str, Body()]) -> dict[str, str]:
    return {"access_token": f"{username}{len(password)}", "token_type": "bearer"}


@router.get("/me")
async def me(token: Annotated[str, Depends(oauth2_scheme)]) -> str:
    return token


app = FastAPI()
app.include_router(router)
