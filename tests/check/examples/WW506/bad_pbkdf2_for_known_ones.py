"""JSON, a repository class, the standard library's hash."""

import hashlib
import hmac
import os
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel, EmailStr

router = APIRouter(prefix="/auth")


class Credentials(BaseModel):
    email: EmailStr
    password: str
    remember_me: bool = False


class Accounts:
    def __init__(self) -> None:
        self._salts: dict[str, bytes] = {"alice@example.com": os.urandom(16)}
        self._hashes = {email: self._hash(os.urandom(8).hex(), salt) for email, salt in self._salts.items()}

    @staticmethod
    def _hash(password: str, salt: bytes) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 100_000)

    async def verify(self, email: str, password: str) -> bool:
        salt = self._salts.get(email)
        return salt is not None and hmac.compare_digest(self._hash(password, salt), self._hashes[email])


accounts = Accounts()


@router.post("/login")
async def login(credentials: Credentials, accounts: Annotated[Accounts, Depends(lambda: accounts)]):
    if not await accounts.verify(credentials.email, credentials.password):
        raise HTTPException(401, "Wrong email or password", {"WWW-Authenticate": "Session"})
    return {"session": os.urandom(16).hex()}


app = FastAPI()
app.include_router(router)
