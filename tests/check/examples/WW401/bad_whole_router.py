from fastapi import APIRouter, FastAPI, Security
from fastapi.security import APIKeyHeader

app = FastAPI()
router = APIRouter(prefix="/admin")
orders = APIRouter(prefix="/orders", dependencies=[Security(APIKeyHeader(name="X-Key"))])


@router.get("/users")
async def users() -> list[str]:
    return []


@router.put("/users/{id}")
async def update_user(id: int) -> None: ...


@router.delete("/users/{id}")
async def delete_user(id: int) -> None: ...


@router.post("/maintenance")
async def maintenance() -> None: ...


@orders.put("/{id}")
async def update_order(id: int) -> None: ...


@orders.delete("/{id}")
async def delete_order(id: int) -> None: ...


app.include_router(router)
app.include_router(orders)
