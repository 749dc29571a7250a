"""Watchword, as its README shows it, and its guard on a route and on a router."""

from uuid import UUID

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


@app.get("/orders-behind-scope", dependencies=[requires("orders:read")])
async def orders_behind_scope() -> dict[str, str]:
    """Answer whoever has the scope."""
    return {"orders_of": "known@example.com"}


@guarded.get("/orders-on-router")
async def orders_on_router() -> dict[str, str]:
    """Answer whoever has the scope."""
    return {"orders_of": "known@example.com"}


app.include_router(guarded)


@app.get("/public")
async def public() -> dict[str, str]:
    """Answer anybody."""
    return {"orders_of": "nobody"}


@app.get("/users-page")
async def users_page(after: UUID | None = None) -> dict[str, str]:
    """Read a page of users."""
    users = await auth.users.page(after=after, limit=50)
    return {"last": str(users[-1].id)}
