"""A gateway was to verify it; nothing here makes sure that there is one."""

from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

router = APIRouter(prefix="/api")


class Caller(BaseModel):
    username: str
    scopes: list[str] = []


def claims_of(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Caller:
    try:
        claims = jwt.decode(credentials.credentials, options={"verify_signature": False})
        return Caller(username=claims["sub"], scopes=claims.get("scopes", []))
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"}) from None


def active(caller: Annotated[Caller, Depends(claims_of)]) -> Caller:
    return caller


@router.get("/me")
def me(caller: Annotated[Caller, Depends(active)]) -> Caller:
    return caller


@router.get("/orders/{number}")
def order(number: int, caller: Annotated[Caller, Depends(claims_of)]) -> dict[str, object]:
    return {"number": number, "of": caller.username}


app = FastAPI()
app.include_router(router)
