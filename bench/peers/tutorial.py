"""FastAPI's own tutorial of OAuth2 with JWT, with a table of users instead of a dictionary: async or sync SQLAlchemy.

`BENCH_SYNC=1` chooses the sync one. Libraries as the tutorial names them today: PyJWT and pwdlib.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pwdlib import PasswordHash
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

SECRET = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8"
DATABASE = os.environ["BENCH_DATABASE"]
SYNC = bool(os.environ.get("BENCH_SYNC"))
hasher = PasswordHash.recommended()
scheme = OAuth2PasswordBearer(tokenUrl="auth/token")


class Base(DeclarativeBase):
    """The tables."""


class User(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    hashed_password: Mapped[str]
    disabled: Mapped[bool] = mapped_column(default=False)


sync_engine = create_engine(f"sqlite:///{DATABASE}")
async_engine = create_async_engine(f"sqlite+aiosqlite:///{DATABASE}")
sync_sessions = sessionmaker(sync_engine)
async_sessions = async_sessionmaker(async_engine)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Make the table and the one user."""
    Base.metadata.create_all(sync_engine)
    with sync_sessions() as session:
        hashed = hasher.hash("correct horse battery staple")
        session.add(User(email="known@example.com", hashed_password=hashed))
        session.commit()
    yield


app = FastAPI(lifespan=lifespan)


async def async_session() -> AsyncIterator[AsyncSession]:
    """A session a request."""
    async with async_sessions() as session:
        yield session


def sync_session() -> Iterator[Session]:
    """A session a request."""
    with sync_sessions() as session:
        yield session


def read(token: str) -> str:
    """The subject of a token."""
    try:
        subject: str = jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"}) from None
    return subject


def issue(user: User | None, password: str) -> dict[str, str]:
    """The answer to a login."""
    if user is None or not hasher.verify(password, user.hashed_password):
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": user.email, "exp": datetime.now(UTC) + timedelta(minutes=15)}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "token_type": "bearer"}


def active(user: User | None) -> User:
    """Refuse a user who is gone or disabled."""
    if user is None or user.disabled:
        raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    return user


if SYNC:

    def current_user(token: Annotated[str, Depends(scheme)], session: Annotated[Session, Depends(sync_session)]) -> Any:
        """The user of a token."""
        return session.scalar(select(User).where(User.email == read(token)))

    def active_user(user: Annotated[Any, Depends(current_user)]) -> User:
        """The active one."""
        return active(user)

    @app.post("/auth/token")
    def log_in(
        form: Annotated[OAuth2PasswordRequestForm, Depends()], session: Annotated[Session, Depends(sync_session)]
    ) -> dict[str, str]:
        """Log in."""
        return issue(session.scalar(select(User).where(User.email == form.username)), form.password)

    @app.get("/orders")
    def orders(user: Annotated[User, Depends(active_user)]) -> dict[str, str]:
        """Answer a user."""
        return {"orders_of": user.email}

else:

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
