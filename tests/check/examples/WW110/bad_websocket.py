from fastapi import FastAPI, Query, WebSocket, status

app = FastAPI()


@app.websocket("/ws")
async def live(websocket: WebSocket, token: str | None = Query(default=None)) -> None:
    if token is None:
        await websocket.close(code=status.WS_1008_POLICY_VIOLATION)
        return
    await websocket.accept()
