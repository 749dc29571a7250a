"""A code for the pages, which show a text for it."""

import os
from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI
from fastapi.responses import JSONResponse
from pwdlib import PasswordHash

auth = APIRouter(prefix="/auth")
hasher = PasswordHash.recommended()


def accounts() -> dict[str, str]:
    return {"carol@example.com": hasher.hash(os.urandom(16).hex())}


def problem(status: int, code: str) -> JSONResponse:
    return JSONResponse({"ok": False, "error": {"code": code}}, status, {"WWW-Authenticate": "Bearer"})


@auth.post("/sign-in", response_model=None)
async def sign_in(
    email: Annotated[str, Body()],
    password: Annotated[str, Body()],
    known: Annotated[dict[str, str], Depends(accounts)],
) -> JSONResponse | dict[str, bool]:
    if email not in known:
        return problem(401, "email_not_registered")
    if not hasher.verify(password, known[email]):
        return problem(401, "bad_secret")
    return {"ok": True}


app = FastAPI()
app.include_router(auth)
