from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
CHALLENGE = {"WWW-Authenticate": "Bearer"}


def unauthorized(detail: str, **more: Any) -> HTTPException:
    return HTTPException(401, detail, **more)


@app.get("/me")
async def me(token: str = Depends(bearer)) -> str:
    if len(token) < 20:
        raise HTTPException(401, "Invalid token", CHALLENGE)
    if len(token) > 2000:
        raise unauthorized("Invalid token", headers=CHALLENGE)
    return token
