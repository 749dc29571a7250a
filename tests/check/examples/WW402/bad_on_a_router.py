from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.security import APIKeyHeader

router = APIRouter()


def get_store() -> dict[str, str]:
    return {}


@router.websocket("/notifications")
async def notifications(websocket: WebSocket, store: dict[str, str] = Depends(get_store), user_id: int = 0) -> None:
    await websocket.accept()
    await websocket.send_json({"user": user_id, "notifications": store})
    await websocket.close()


guarded = APIRouter(dependencies=[Depends(APIKeyHeader(name="X-API-Key"))])


@guarded.post("/notifications")
def notify(text: str) -> None: ...


app = FastAPI()
app.include_router(router, prefix="/ws")
app.include_router(guarded)
