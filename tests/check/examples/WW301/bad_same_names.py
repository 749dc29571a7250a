from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
fake_users: dict[str, "User"] = {}


class User(BaseModel):
    username: str
    password: str


@app.post("/login")
async def login(user: User):
    db_user = fake_users.get(user.username)
    if db_user is None or db_user.password != user.password:
        raise HTTPException(400, "Wrong name or password")
    return {"name": db_user.username}
