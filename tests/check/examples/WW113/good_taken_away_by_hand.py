"""The pages were taken away for good; what is mounted is for everybody."""

import os

from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.security import HTTPBearer

app = FastAPI(title="Shop", docs_url=None, redoc_url=None)
weather = FastAPI(title="Weather")
app.mount("/weather", weather)

if os.environ.get("DOCS", "yes"):

    @app.get("/docs", include_in_schema=False)
    async def docs():
        return get_swagger_ui_html(openapi_url=app.openapi_url, title=app.title)


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []


@weather.get("/")
def today() -> str:
    return "rain"
