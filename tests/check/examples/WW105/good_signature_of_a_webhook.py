import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request, WebSocket
from fastapi.security import HTTPBearer

app = FastAPI()
KEY = b"from the environment"


async def signed(request: Request, x_hub_signature: Annotated[str, Header()] = "") -> None:
    expected = hmac.new(KEY, await request.body(), "sha256").hexdigest()
    if not hmac.compare_digest(expected, x_hub_signature):
        raise HTTPException(401, "Wrong signature")


@app.post("/webhook", dependencies=[Depends(signed)])
async def webhook() -> str:
    return "thanks"


@app.websocket("/live")
async def live(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        if len(await websocket.receive_text()) < 20:
            raise HTTPException(401, "Invalid token")
    except HTTPException as error:
        await websocket.close(1008, error.detail)


@app.get("/me", dependencies=[Depends(HTTPBearer())])
async def me() -> str:
    return "you"
