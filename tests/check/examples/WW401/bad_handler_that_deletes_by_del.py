from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPBearer

app = FastAPI()
orders: dict[int, str] = {}


def same_origin():
    def check(request: Request, session: Annotated[str | None, Cookie()] = None) -> None:
        if session is not None and request.headers.get("origin") != "https://shop.example":
            raise HTTPException(403)

    return check


@app.get("/orders/{id}", dependencies=[Depends(HTTPBearer())])
def order(id: int) -> str:
    return orders[id]


@app.delete("/orders/{id}", dependencies=[Depends(same_origin())])
def delete(id: int) -> None:
    del orders[id]
