import os
from datetime import UTC, datetime, timedelta

import jwt
from fastapi import FastAPI

app = FastAPI()


def unsubscribe_link(email: str) -> str:
    claims = {"email": email, "exp": datetime.now(UTC) + timedelta(days=30)}
    return "https://example.com/u/" + jwt.encode(claims, os.environ["KEY"], algorithm="HS256")


@app.post("/subscribe")
def subscribe(email: str) -> str:
    return unsubscribe_link(email)
