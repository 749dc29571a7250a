"""The app: `fastapi dev`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from alembic import command
from alembic.config import Config
from fastapi import FastAPI

from orders.accounts import auth
from orders.database import engine
from orders.routes import live, orders, reports
from watchword import EmailTaken

SHOP = "shop@example.com"


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Runs within Watchword's lifespan, so its tables are there and `auth.users` can be used."""
    if not auth.settings.is_production:  # there, a deployment migrates
        alembic = Config(Path(__file__).parent.parent / "alembic.ini")
        await asyncio.to_thread(command.upgrade, alembic, "head")
    yield {"shop_id": await shop_account()}
    await engine.dispose()


async def shop_account() -> UUID:
    """The account that orders the shop's own stock. It has no password, so nobody logs in with it."""
    try:
        shop = await auth.users.find(SHOP) or await auth.users.create(SHOP, profile={"name": "The shop"})
    except EmailTaken:  # another worker was faster
        return await shop_account()
    return shop.id


app = FastAPI(title="Orders", lifespan=lifespan)
app.include_router(orders.router)
app.include_router(live.router)
app.include_router(reports.router)
auth.install(app)
