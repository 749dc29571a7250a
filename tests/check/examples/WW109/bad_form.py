from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import OAuth2PasswordRequestForm

router = APIRouter(prefix="/auth")


@router.post("/access-token")
async def login_access_token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


@router.get("/sessions")
async def sessions(limit: int = 20) -> list[int]:
    return list(range(limit))


app = FastAPI()
app.include_router(router)
