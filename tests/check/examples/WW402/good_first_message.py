from fastapi import Depends, FastAPI, WebSocket
from fastapi.security import HTTPBearer

app = FastAPI()


@app.get("/orders", dependencies=[Depends(HTTPBearer())])
def orders() -> list[int]:
    return []


@app.websocket("/orders/live")
async def live(websocket: WebSocket) -> None:
    await websocket.accept()
    hello = await websocket.receive_json()
    if hello.get("token") != "the token":
        await websocket.close(code=1008)
        return
    await websocket.send_json({"orders": []})
