"""fastapi-users as its documentation shows it: a table of users, the JWT strategy, a bearer."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi_users import BaseUserManager, FastAPIUsers, UUIDIDMixin, schemas
from fastapi_users.authentication import AuthenticationBackend, BearerTransport, JWTStrategy
from fastapi_users.db import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

SECRET = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8"


class Base(DeclarativeBase):
    """The tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    """A user."""


engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ['BENCH_DATABASE']}")
sessions = async_sessionmaker(engine, expire_on_commit=False)


async def session_of_request() -> AsyncIterator[AsyncSession]:
    """A session a request."""
    async with sessions() as session:
        yield session


async def users_of_request(session: Annotated[AsyncSession, Depends(session_of_request)]) -> AsyncIterator[Any]:
    """The users."""
    yield SQLAlchemyUserDatabase(session, User)


class Manager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    """What the library wants a subclass of."""

    reset_password_token_secret = SECRET
    verification_token_secret = SECRET


async def manager_of_request(users: Annotated[Any, Depends(users_of_request)]) -> AsyncIterator[Manager]:
    """The manager."""
    yield Manager(users)


backend: AuthenticationBackend[User, uuid.UUID] = AuthenticationBackend(
    name="jwt",
    transport=BearerTransport(tokenUrl="auth/token/login"),
    get_strategy=lambda: JWTStrategy(secret=SECRET, lifetime_seconds=900),
)
library = FastAPIUsers[User, uuid.UUID](manager_of_request, [backend])
current_user = library.current_user(active=True)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table and the one user."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        users = SQLAlchemyUserDatabase(session, User)
        new = schemas.BaseUserCreate(email="known@example.com", password="correct horse battery staple")
        if await users.get_by_email(new.email) is None:
            await Manager(users).create(new)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(library.get_auth_router(backend), prefix="/auth/token")


@app.get("/orders")
async def orders(user: Annotated[User, Depends(current_user)]) -> dict[str, str]:
    """Answer a user."""
    return {"orders_of": user.email}
