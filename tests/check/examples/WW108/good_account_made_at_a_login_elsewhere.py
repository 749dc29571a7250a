import secrets

from argon2 import PasswordHasher
from fastapi import FastAPI, HTTPException, Request

app = FastAPI()
hasher = PasswordHasher()
users: dict[str, str] = {}


def create_user(email: str, password: str) -> None:
    users[email] = hasher.hash(password)


def authenticate_or_create_user(claims: dict[str, str]) -> str | None:
    email = str(claims.get("email", "")).strip().lower()
    if not email:
        return None
    if email not in users:
        create_user(email=email, password=secrets.token_urlsafe())
    return email


@app.post("/sso/login")
async def login(request: Request) -> str:
    form = await request.form()
    found = authenticate_or_create_user({"email": form["email"], "state": form["password"]})
    if found is None:
        raise HTTPException(400, "No address")
    return found
