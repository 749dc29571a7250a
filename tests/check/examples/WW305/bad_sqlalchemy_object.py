from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    hashed_password: Mapped[str]


def session():
    with Session() as session:
        yield session


app = FastAPI()


@app.get("/users/{user_id}")
def user(user_id: int, session: Annotated[Session, Depends(session)]):
    user = session.scalar(select(User).where(User.id == user_id))
    return user
