import os
from datetime import datetime, timedelta, timezone

import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = os.environ.get("KEY", os.urandom(32).hex())


@app.post("/token")
def token(user: str) -> list[str]:
    first = datetime.utcnow().replace(tzinfo=timezone.utc) + timedelta(minutes=5)
    second = (datetime.now() + timedelta(minutes=5)).timestamp()
    third = datetime.now().astimezone() + timedelta(minutes=5)
    claims = [{"sub": user, "exp": expires, "made": str(datetime.now())} for expires in (first, second, third)]
    extra = {"sub": user, "exp": second, "nbf": int(datetime.now().timestamp())}
    return [jwt.encode(one, KEY, algorithm="HS256") for one in claims] + [jwt.encode(extra, KEY, algorithm="HS256")]
