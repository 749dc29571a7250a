"""Watchword, as its README shows it, and its guard on a router."""

from fastapi import APIRouter, FastAPI

from watchword import CurrentUser, Watchword, requires

app = FastAPI()
auth = Watchword(scopes={"orders:read": "Read orders"})
auth.install(app)
guarded = APIRouter(dependencies=[requires("orders:read")])


@app.get("/orders")
async def orders(user: CurrentUser) -> dict[str, str]:
    """Answer a user."""
    return {"orders_of": user.email}


@guarded.get("/orders-behind-router")
async def orders_behind_router() -> dict[str, str]:
    """Answer whoever has the scope."""
    return {"orders_of": "known@example.com"}


app.include_router(guarded)
