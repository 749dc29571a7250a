import os
import time
from typing import Annotated

import jwt
from fastapi import APIRouter, Cookie, FastAPI, HTTPException
from pydantic import BaseModel

KEY = os.environ.get("KEY", os.urandom(32).hex())
router = APIRouter(prefix="/auth")


class Token(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"


def create_access_token(subject: str) -> str:
    return jwt.encode({"sub": subject, "exp": int(time.time()) + 600}, KEY, algorithm="HS256")


@router.post("/token/refresh")
async def new_access_token(refresh_token: Annotated[str, Cookie()]) -> Token:
    try:
        subject = jwt.decode(refresh_token, KEY, algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None
    return Token(access_token=create_access_token(subject), refresh_token=refresh_token)


app = FastAPI()
app.include_router(router)
