from uuid import uuid4

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Session:
    def __init__(self, user: str) -> None:
        self.id = uuid4().hex
        self.user = user


class Login(BaseModel):
    username: str
    password: str


@app.post("/login")
def login(body: Login) -> dict[str, str]:
    session = Session(body.username)
    return {"access_token": session.id, "token_type": "bearer"}
