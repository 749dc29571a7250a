from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException

app = FastAPI()
KEY = "k" * 40


def current_user(token: str) -> str:
    try:
        return jwt.decode(token, KEY, algorithms=["HS256"])["sub"]
    except jwt.PyJWTError:
        raise HTTPException(status_code=401, detail="Invalid token") from None


@app.get("/me")
def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
