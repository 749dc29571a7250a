from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
clients: list[WebSocket] = []


@app.get("/messages")
def messages(token: Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]) -> list[str]:
    return []


@app.websocket("/chat/{room}")
async def chat(websocket: WebSocket, room: str) -> None:
    await websocket.accept()
    clients.append(websocket)
    try:
        while True:
            text = await websocket.receive_text()
            for client in clients:
                await client.send_text(f"{room}: {text}")
    except WebSocketDisconnect:
        clients.remove(websocket)
