"""Nobody set API_KEY here, so that no key is the right one; three routes stand behind it."""

import os
import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, status
from fastapi.security import HTTPBasic, HTTPBasicCredentials

ADMINS = {"carol": os.environ.get("CAROLS_PASSWORD", "")}
basic = HTTPBasic()


def verify_api_key(request: Request) -> None:
    key = request.headers.get("X-API-Key", "")
    if not secrets.compare_digest(key.encode(), os.environ.get("REPORTS_API_KEY", "").encode()):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Invalid API key", {"WWW-Authenticate": "ApiKey"})


def admin(credentials: Annotated[HTTPBasicCredentials, Depends(basic)]) -> str:
    expected = ADMINS.get(credentials.username, "")
    if not expected or not secrets.compare_digest(credentials.password.encode(), expected.encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})
    return credentials.username


reports = APIRouter(prefix="/reports", dependencies=[Depends(verify_api_key)])


@reports.get("/sales/{year}")
async def sales(year: int) -> dict[str, int]:
    return {"year": year, "total": 0}


@reports.get("/stock")
async def stock(warehouse: str) -> dict[str, int]:
    return {warehouse: 0}


@reports.get("/people")
async def people(_: Annotated[str, Depends(admin)]) -> list[str]:
    return []


app = FastAPI()
app.include_router(reports)
