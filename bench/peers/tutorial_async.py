"""FastAPI's own tutorial of OAuth2 with JWT, on a table of users, with async SQLAlchemy."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bench.peers.tutorial_common import User, active, async_sessions, issue, lifespan, read

scheme = OAuth2PasswordBearer(tokenUrl="auth/token")
app = FastAPI(lifespan=lifespan)


async def async_session() -> AsyncIterator[AsyncSession]:
    """A session a request."""
    async with async_sessions() as session:
        yield session


async def current_user(
    token: Annotated[str, Depends(scheme)], session: Annotated[AsyncSession, Depends(async_session)]
) -> Any:
    """The user of a token."""
    return await session.scalar(select(User).where(User.email == read(token)))


async def active_user(user: Annotated[Any, Depends(current_user)]) -> User:
    """The active one."""
    return active(user)


@app.post("/auth/token")
async def log_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Annotated[AsyncSession, Depends(async_session)]
) -> dict[str, str]:
    """Log in."""
    return issue(await session.scalar(select(User).where(User.email == form.username)), form.password)


@app.get("/orders")
async def orders(user: Annotated[User, Depends(active_user)]) -> dict[str, str]:
    """Answer a user."""
    return {"orders_of": user.email}
