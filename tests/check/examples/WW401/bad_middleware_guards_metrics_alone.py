import hmac
import os

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

KEY = os.environ.get("KEY", "")


def is_metrics_request(scope: Scope) -> bool:
    path = scope.get("path", "")
    return path == "/metrics" or path.startswith("/metrics/")


class MetricsGate:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_metrics_request(scope):
            await self.app(scope, receive, send)
            return
        if not hmac.compare_digest(Request(scope).headers.get("Authorization", ""), KEY):
            refused = JSONResponse({}, 401, headers={"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        await self.app(scope, receive, send)


app = FastAPI(openapi_url=None)
app.add_middleware(MetricsGate)
orders: dict[int, str] = {}


@app.get("/metrics")
def metrics() -> dict[str, int]:
    return {"orders": len(orders)}


@app.put("/orders/{id}")
def put(id: int, item: str) -> None:
    orders[id] = item
