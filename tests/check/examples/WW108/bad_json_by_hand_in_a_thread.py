import asyncio
import hashlib
from functools import partial

from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
users = {}


def is_valid_password(*, password: str, salt: bytes, password_hash: bytes) -> bool:
    return password_hash == hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)


@app.post("/auth/login")
async def login(request: Request):
    data = await request.json()
    email, password = data.get("email"), data.get("password")
    user = users.get(email)
    if user is None or (password_hash := user.password_hash) is None or (salt := user.password_salt) is None:
        raise HTTPException(401, "Wrong email or password")
    check = partial(is_valid_password, password=password, salt=salt, password_hash=password_hash)
    if not await asyncio.get_running_loop().run_in_executor(None, check):
        raise HTTPException(401, "Wrong email or password")
