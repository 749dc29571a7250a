from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")
KEY = "…"


async def get_current_user(token: Annotated[str, Depends(oauth2_scheme)]) -> str:
    credentials_exception = HTTPException(
        status_code=status.HTTP_401_UNAUTHORIZED,
        detail="Could not validate credentials",
    )
    try:
        payload = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        raise credentials_exception from None
    if payload.get("sub") is None:
        raise credentials_exception
    return str(payload["sub"])


@app.get("/me")
async def me(user: Annotated[str, Depends(get_current_user)]) -> str:
    return user
