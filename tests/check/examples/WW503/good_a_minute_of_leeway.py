import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from jose import jwt
from jose.exceptions import JWTError

app = FastAPI()


class JWTBearer:
    """Reads the header itself."""

    secret = os.environ.get("JWT_SECRET") or os.urandom(32).hex()

    async def __call__(self, request: Request) -> dict:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        try:
            return jwt.decode(token, self.secret, algorithms=["HS256"], options={"leeway": 60, "require_exp": True})
        except JWTError:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None


@app.get("/me")
async def me(claims: Annotated[dict, Depends(JWTBearer())]) -> dict:
    return {"sub": claims["sub"]}
