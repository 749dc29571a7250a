import functools
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pwdlib import PasswordHash
from pydantic import BaseModel

app = FastAPI()
hasher = PasswordHash.recommended()


def in_a_thread(function: Callable[..., str]) -> Callable[..., Awaitable[str]]:
    @functools.wraps(function)
    async def wrapped(*args: str) -> str:
        return await run_in_threadpool(function, *args)

    return wrapped


@in_a_thread
def hash_password(password: str) -> str:
    return hasher.hash(password)


class Change(BaseModel):
    password: str


@app.put("/password")
async def change(data: Change) -> str:
    return await hash_password(data.password)
