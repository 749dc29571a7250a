import asyncio
from functools import partial

import anyio
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.security import OAuth2PasswordRequestForm

app = FastAPI()
hasher = PasswordHasher()
kept = hasher.hash("…")


def verify(password: str) -> bool:
    return hasher.verify(kept, password)


class Passwords:
    async def verify(self, password: str) -> bool:
        return await asyncio.to_thread(verify, password)


@app.post("/token")
async def token(form: OAuth2PasswordRequestForm = Depends()):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, partial(hasher.hash, form.password))
    await anyio.to_thread.run_sync(lambda: hasher.verify(kept, form.password))
    await Passwords().verify(form.password)

    def rehash() -> str:
        return hasher.hash(form.password)

    return {"access_token": await run_in_threadpool(rehash), "token_type": "bearer"}
