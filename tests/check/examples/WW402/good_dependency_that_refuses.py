from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, WebSocket

app = FastAPI()
members = {"a ticket": "alice"}


class ConnectionGuard:
    async def __call__(self, websocket: WebSocket) -> str:
        for protocol in websocket.scope.get("subprotocols", []):
            if protocol in members:
                return members[protocol]
        await websocket.close(1008)
        raise HTTPException(401)


@app.websocket("/ws")
async def chat(websocket: WebSocket, member: Annotated[str, Depends(ConnectionGuard())]) -> None:
    await websocket.accept()
    await websocket.send_text(member)
