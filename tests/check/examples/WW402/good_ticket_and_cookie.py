from fastapi import APIRouter, Depends, FastAPI, WebSocket, WebSocketException
from fastapi.security import HTTPBearer

TICKETS: set[str] = set()
app = FastAPI()
router = APIRouter()


class Hub:
    async def connect(self, websocket: WebSocket) -> bool:
        if websocket.cookies.get("session") is None:
            await websocket.close(code=1008)
            return False
        await websocket.accept()
        return True


hub = Hub()


@app.post("/tickets", dependencies=[Depends(HTTPBearer())])
def ticket() -> str:
    return "ticket"


@router.websocket("/live/{ticket}")
async def live(websocket: WebSocket, ticket: str) -> None:
    if ticket not in TICKETS:
        raise WebSocketException(code=1008)
    await websocket.accept()


@router.websocket("/hub")
async def with_cookie(websocket: WebSocket) -> None:
    await hub.connect(websocket)


app.include_router(router)
