from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI(title="Shop", version="1.0")
bearer = OAuth2PasswordBearer(tokenUrl="token")


@app.get("/orders")
async def orders(token: Annotated[str, Depends(bearer)]) -> list[int]:
    return []
