from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.security import HTTPBearer


def create_app() -> FastAPI:
    return FastAPI(title="Shop", docs_url=None, redoc_url=None)


app = create_app()


@app.get("/docs", include_in_schema=False)
async def docs():
    return get_swagger_ui_html(openapi_url=app.openapi_url, title=app.title, swagger_js_url="/static/swagger-ui.js")


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []
