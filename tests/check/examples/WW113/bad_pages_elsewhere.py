from fastapi import APIRouter, FastAPI, Security
from fastapi.security import APIKeyHeader

router = APIRouter(dependencies=[Security(APIKeyHeader(name="X-API-Key"))])


@router.delete("/orders/{id}")
def delete(id: int) -> None: ...


def create_app() -> FastAPI:
    app = FastAPI(docs_url="/api/docs", redoc_url="/api/redoc", openapi_url="/api/openapi.json")
    app.include_router(router, prefix="/api")
    return app


app = create_app()
