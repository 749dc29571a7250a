import os
from datetime import datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


@app.post("/token")
async def token(user: str) -> str:
    expires = (datetime.utcnow() + timedelta(hours=1)).timestamp()
    return jwt.encode({"sub": user, "exp": int(expires)}, os.environ["SECRET_KEY"], algorithm="HS256")
