from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
hasher = PasswordHasher()
NOBODY = {"hash": hasher.hash("nobody"), "name": "", "active": ""}
db: dict[str, dict[str, str]] = {}


class Login(BaseModel):
    username: str
    password: str


@app.post("/login")
def login(data: Login):
    if not data.username:
        raise HTTPException(422, "Say who you are")
    user = db.get(data.username) or NOBODY
    try:
        hasher.verify(user["hash"], data.password)
    except VerificationError:
        raise HTTPException(400, "Wrong name or password") from None
    if not user["active"]:
        raise HTTPException(400, "Wrong name or password")
    return {"name": user["name"]}
