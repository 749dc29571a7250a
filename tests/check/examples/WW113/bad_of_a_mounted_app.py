import os

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

api = FastAPI(title="Shop API")
app = FastAPI(title="Shop", openapi_url="/openapi.json" if os.environ.get("DOCS") else None)
app.mount("/api/v1", api)


@api.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []
