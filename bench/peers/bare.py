"""Bare FastAPI endpoints, with and without a router, and a dependency that does nothing: what nobody can beat."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI

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


router = APIRouter()


@router.get("/orders-on-router")
async def orders_on_router() -> dict[str, str]:
    """Answer, from a router."""
    return {"orders_of": "known@example.com"}


@router.get("/orders-on-router-behind-nothing", dependencies=[Depends(nothing)])
async def orders_on_router_behind_nothing() -> dict[str, str]:
    """Answer, from a router, after a dependency."""
    return {"orders_of": "known@example.com"}


app.include_router(router)
