import bcrypt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

app = FastAPI()
basic = HTTPBasic()
users: dict[str, bytes] = {}


async def user(credentials: HTTPBasicCredentials = Depends(basic)) -> str:
    if not bcrypt.checkpw(credentials.password.encode(), users[credentials.username]):
        raise HTTPException(401, "No", {"WWW-Authenticate": "Basic"})
    return credentials.username


@app.get("/me")
def me(user: str = Depends(user)) -> str:
    return user
