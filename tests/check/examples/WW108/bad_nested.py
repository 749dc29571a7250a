from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel

app = FastAPI()
ph = PasswordHasher()
db: dict[str, dict[str, str]] = {}


class Login(BaseModel):
    username: str
    password: str


@app.post("/session")
def login(data: Login, request: Request):
    row = db.get(data.username)
    if row:
        try:
            ph.verify(row["password_hash"], data.password)
        except VerifyMismatchError:
            pass
        else:
            return {"name": row["name"]}
    raise HTTPException(400, "Wrong name or password")
