import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

ACCESS_TOKEN_EXPIRE_MINUTES = 30
app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


def create_access_token(data: dict[str, object], expires_delta: timedelta | None = None) -> str:
    """A user who logs out only forgets the token: there is no blacklist yet."""
    expire = datetime.now(UTC) + (expires_delta or timedelta(minutes=15))
    return jwt.encode({**data, "exp": expire}, os.environ["KEY"], algorithm="HS256")


@app.post("/token")
def token(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    lifetime = timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES)
    return {"access_token": create_access_token({"sub": form.username}, lifetime), "token_type": "bearer"}


@app.get("/me")
def me(token: Annotated[str, Depends(bearer)]) -> object:
    return jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])["sub"]
