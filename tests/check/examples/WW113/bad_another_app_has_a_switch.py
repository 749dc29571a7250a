import os

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer


class Worker:
    """Makes an app of its own, for another process."""

    def app(self) -> FastAPI:
        options = {"title": "Worker", "docs_url": os.environ.get("DOCS_URL")}
        return FastAPI(**options)


class Admin:
    def app(self) -> FastAPI:
        return FastAPI(title="Admin", openapi_url=None)


app = FastAPI(title="Shop", version=os.environ.get("VERSION", "1"))


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []
