"""The model of what is sent is the base of what is answered; nothing sets the password there."""

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel

app = FastAPI(dependencies=[Depends(HTTPBearer())])


class UserData(BaseModel):
    email: str
    password: str = ""


class User(UserData):
    id: int


@app.get("/users/{id}", response_model=User, response_model_exclude_unset=True)
def user(id: int) -> User:
    return User(id=id, email="a@example.org")
