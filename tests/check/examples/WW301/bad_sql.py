from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    password: Mapped[str]


class LoginData(BaseModel):
    email: str
    password: str


@app.post("/login")
def login(login: LoginData):
    with Session(engine) as session:
        user = session.scalar(select(User).where(User.email == login.email, User.password == login.password))
    if user is None:
        raise HTTPException(400, "Wrong address or password")
    return {"id": user.id}
