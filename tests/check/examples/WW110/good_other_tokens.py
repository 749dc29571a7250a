from typing import Annotated

from fastapi import Depends, FastAPI, Form, Header, HTTPException, Query

app = FastAPI()


def user(authorization: Annotated[str, Header()]) -> str:
    if not authorization.startswith("Bearer "):
        raise HTTPException(status_code=401)
    return authorization


@app.get("/orders")
def orders(
    user: Annotated[str, Depends(user)], page_token: str | None = None, max_tokens: Annotated[int, Query()] = 10
) -> list[int]:
    return []


@app.post("/login")
def login(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> str:
    if not password:
        raise HTTPException(status_code=401)
    return username


@app.get("/tokens/search")
def search(token: str) -> list[str]:
    return [token]
