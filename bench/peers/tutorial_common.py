"""What the two tutorials share: the table, the token, the checks, by PyJWT and pwdlib as FastAPI's pages do."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI, HTTPException
from pwdlib import PasswordHash
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

SECRET = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8"
DATABASE = os.environ["BENCH_DATABASE"]
hasher = PasswordHash.recommended()


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
        if session.scalar(select(User)) is None:
            hashed = hasher.hash("correct horse battery staple")
            session.add(User(email="known@example.com", hashed_password=hashed))
            session.commit()
    yield


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
