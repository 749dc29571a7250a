"""A signed state goes with a short-lived cookie; a signed id names a row that says when it ends."""

import os
import secrets

import jwt
from fastapi import FastAPI

app = FastAPI()
KEY = os.environ.get("SIGNING_KEY", "")


def make_state(return_url: str) -> str:
    payload = {"random": secrets.token_urlsafe(), "return_url": return_url}
    return jwt.encode(payload, KEY, algorithm="HS256")


def encode(row_id: str) -> str:
    return jwt.encode({"jti": row_id}, KEY, algorithm="HS256")


@app.get("/login/elsewhere")
def login_elsewhere(return_url: str) -> dict[str, str]:
    return {"state": make_state(return_url), "reference": encode("17")}
