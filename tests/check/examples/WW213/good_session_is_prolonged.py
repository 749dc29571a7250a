import os
import time

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
KEY = os.environ.get("KEY", os.urandom(32).hex())


def current_user(token: str = Depends(bearer)) -> str:
    return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]


@app.post("/token/refresh")
def refresh(user: str = Depends(current_user)) -> dict[str, str]:
    access = jwt.encode({"sub": user, "exp": int(time.time()) + 600}, KEY, algorithm="HS256")
    return {"access_token": access, "token_type": "bearer"}


@app.post("/cache/refresh")
def refresh_cache(user: str = Depends(current_user)) -> dict[str, str]:
    return {"refreshed_by": user}
