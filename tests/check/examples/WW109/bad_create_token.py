from typing import Annotated

from fastapi import APIRouter, FastAPI, Form

router = APIRouter(prefix="/api/v1")


@router.post("/token", status_code=201)
async def create_token(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, str]:
    return {"access_token": username + password, "token_type": "bearer"}


app = FastAPI()
app.include_router(router)
