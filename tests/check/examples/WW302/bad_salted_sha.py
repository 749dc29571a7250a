import hashlib
import os

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
users: dict[str, tuple[str, str]] = {}


class SignUp(BaseModel):
    name: str
    password: str


@app.post("/register")
async def register(data: SignUp) -> str:
    salt = os.urandom(16).hex()
    salted = salt + data.password
    users[data.name] = (salt, hashlib.sha512(salted.encode()).hexdigest())
    return data.name
