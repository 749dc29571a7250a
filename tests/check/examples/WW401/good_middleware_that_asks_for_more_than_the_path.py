import hmac
import os

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

KEY = os.environ.get("KEY", "")


class KeyMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/public"):
            await self.app(scope, receive, send)
            return
        if not hmac.compare_digest(Request(scope).headers.get("Authorization", ""), KEY):
            refused = JSONResponse({}, 401, headers={"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


app = FastAPI(openapi_url=None)
app.add_middleware(KeyMiddleware)


@app.get("/public/info")
def info() -> None: ...


@app.delete("/orders/{id}")
def delete(id: int) -> None: ...
