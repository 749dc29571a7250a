from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.security import OAuth2PasswordRequestForm


class RateLimiter:
    def __init__(self, times: int) -> None:
        self.times = times

    async def __call__(self, request: Request) -> None:
        pass


router = APIRouter(dependencies=[Depends(RateLimiter(times=5))])


@router.post("/token")
async def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    return {"access_token": form.username, "token_type": "bearer"}


app = FastAPI()
app.include_router(router)
