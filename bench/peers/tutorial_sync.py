"""FastAPI's own tutorial of OAuth2 with JWT, on a table of users, with sync SQLAlchemy."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.peers.tutorial_common import User, active, issue, lifespan, read, sync_sessions

scheme = OAuth2PasswordBearer(tokenUrl="auth/token")
app = FastAPI(lifespan=lifespan)


def sync_session() -> Iterator[Session]:
    """A session a request."""
    with sync_sessions() as session:
        yield session


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
