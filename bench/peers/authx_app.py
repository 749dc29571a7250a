"""AuthX as its documentation shows it: a JWT that is verified at each request, and no table of users."""

from typing import Annotated, Any

from authx import AuthX, AuthXConfig
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from pwdlib import PasswordHash

SECRET = "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e8"
hasher = PasswordHash.recommended()
HASHED = hasher.hash("correct horse battery staple")

app = FastAPI()
auth: AuthX[Any] = AuthX(
    config=AuthXConfig(JWT_ALGORITHM="HS256", JWT_SECRET_KEY=SECRET, JWT_TOKEN_LOCATION=["headers"])
)
auth.handle_errors(app)


@app.post("/auth/token")
async def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    """Log in."""
    if form.username != "known@example.com" or not hasher.verify(form.password, HASHED):
        raise HTTPException(401, "Incorrect username or password")
    return {"access_token": auth.create_access_token(uid=form.username), "token_type": "bearer"}


@app.get("/orders")
async def orders(payload: Annotated[Any, Depends(auth.access_token_required)]) -> dict[str, str]:
    """Answer a user."""
    return {"orders_of": payload.sub}
