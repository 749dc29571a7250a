from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import DeclarativeBase

app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    password = Column(String)


class Update(BaseModel):
    grant_type: str = "password"
    password: str = "********"


def derived(password: str, salt: str) -> str:
    return "".join(sorted(password + salt))


def login(user: User, form: Update) -> None:
    password = derived(form.password, str(user.id))
    if user.password != password:
        raise HTTPException(400, "Wrong name or password")


@app.put("/connections")
def connect(update: Update) -> bool:
    if update.grant_type != "password":
        raise HTTPException(400, "Unknown grant")
    return update.password != "********"
