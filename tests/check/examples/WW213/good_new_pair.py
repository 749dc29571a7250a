import os
import time
from uuid import uuid4

import jwt
from fastapi import Body, FastAPI, HTTPException

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())
used: set[str] = set()


def sign(subject: str, kind: str, seconds: int) -> str:
    claims = {"sub": subject, "type": kind, "jti": uuid4().hex, "exp": int(time.time()) + seconds}
    return jwt.encode(claims, KEY, algorithm="HS256")


@app.post("/refresh")
def refresh(refresh_token: str = Body(embed=True)) -> dict[str, str]:
    claims = jwt.decode(refresh_token, KEY, algorithms=["HS256"])
    if claims["jti"] in used:
        raise HTTPException(401)
    used.add(claims["jti"])
    following = sign(claims["sub"], "refresh", 86400)
    return {"access_token": sign(claims["sub"], "access", 600), "refresh_token": following}
