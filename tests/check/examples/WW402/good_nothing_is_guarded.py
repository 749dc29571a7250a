from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.websocket("/time")
async def time(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("now")
