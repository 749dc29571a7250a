from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, WebSocket

app = FastAPI()


async def key_of(websocket: WebSocket) -> str:
    authorization = websocket.headers.get("authorization")
    if not authorization:
        await websocket.close(code=1008)
        raise HTTPException(403)
    return authorization


@app.websocket("/ws")
async def serve(websocket: WebSocket, key: Annotated[str, Depends(key_of)]) -> None:
    await websocket.accept()
