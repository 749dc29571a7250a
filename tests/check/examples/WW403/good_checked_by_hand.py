from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

SCOPES = {"items:read": "Read items.", "items:write": "Write items."}
bearer = OAuth2PasswordBearer(tokenUrl="token", scopes=SCOPES)
app = FastAPI()


def granted(token: str) -> set[str]:
    return set(token.split())


@app.get("/items")
def items(token: Annotated[str, Depends(bearer)]) -> list[int]:
    if "items:read" not in granted(token):
        raise HTTPException(status_code=403)
    return []
