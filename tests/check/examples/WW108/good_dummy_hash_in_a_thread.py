from argon2 import PasswordHasher
from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool

app = FastAPI()
hasher = PasswordHasher()
nobodys = hasher.hash("nobody's password")
users = {}


async def verify_password(password: str, password_hash: str) -> bool:
    return await run_in_threadpool(hasher.verify, password_hash, password)


@app.post("/auth/login")
async def login(request: Request):
    data = await request.json()
    user = users.get(data["email"])
    if user is None:
        await verify_password(data["password"], nobodys)
        raise HTTPException(401, "Wrong email or password")
    if not await verify_password(data["password"], user.password_hash):
        raise HTTPException(401, "Wrong email or password")
