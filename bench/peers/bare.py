"""A bare FastAPI endpoint, one behind a dependency that does nothing: what nobody can beat."""

from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()


async def nothing() -> None:
    """Do nothing."""


@app.get("/orders")
async def orders() -> dict[str, str]:
    """Answer."""
    return {"orders_of": "known@example.com"}


@app.get("/orders-behind-nothing")
async def orders_behind_nothing(_: Annotated[None, Depends(nothing)]) -> dict[str, str]:
    """Answer, after a dependency."""
    return {"orders_of": "known@example.com"}
