# watchword-routes.toml
# version = 1
# [routes]
# "GET /orders" = "authenticated"
from fastapi import APIRouter, Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
router = APIRouter(prefix="/orders")


@router.get("", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []


@router.get("/export")
def export() -> list[int]:
    return []


app.include_router(router)
