import os
import time

import jwt
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


class RefreshRequest(BaseModel):
    token: str


@app.post("/refresh")
def refresh(body: RefreshRequest) -> dict[str, str]:
    claims = jwt.decode(body.token, KEY, algorithms=["HS256"], options={"require": ["exp"]})
    if claims.get("type") != "refresh":
        raise HTTPException(401)
    access = jwt.encode({"sub": claims["sub"], "exp": int(time.time()) + 600}, KEY, algorithm="HS256")
    return {"access_token": access, "token_type": "bearer"}
