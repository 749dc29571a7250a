from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse
from starlette.middleware.base import BaseHTTPMiddleware

hasher = PasswordHasher()
users: dict[str, str] = {}


def is_right(username: str, password: str) -> bool:
    kept = users.get(username)
    if kept is None:
        return False
    try:
        return hasher.verify(kept, password)
    except VerifyMismatchError:
        return False


class BasicAuthMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        username, _, password = request.headers.get("Authorization", "").partition(":")
        if not await run_in_threadpool(is_right, username, password):
            return PlainTextResponse("Who are you?", 401, {"WWW-Authenticate": "Basic"})
        return await call_next(request)


app = FastAPI()
app.add_middleware(BasicAuthMiddleware)


@app.get("/orders")
def orders() -> list[int]:
    return []
