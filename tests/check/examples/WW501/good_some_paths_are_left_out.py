"""One guard in front of all, which knows that monitoring has no key."""

import hmac
import os

from fastapi import Depends, FastAPI, HTTPException, Request

OPEN = frozenset({"/health", "/version"})
KEY = os.environ.get("SERVICE_KEY") or os.urandom(32).hex()


class ServiceKey:
    def __init__(self, header: str) -> None:
        self.header = header

    def __call__(self, request: Request) -> None:
        if request.url.path in OPEN:
            return
        if not hmac.compare_digest(request.headers.get(self.header, "").encode(), KEY.encode()):
            raise HTTPException(status_code=401, headers={"WWW-Authenticate": "ApiKey"})


app = FastAPI(dependencies=[Depends(ServiceKey("X-Service-Key"))])


@app.get("/health")
def health() -> str:
    return "ok"


@app.get("/version")
def version() -> str:
    return "1.0"


@app.get("/queue")
def queue() -> list[str]:
    return []
