from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()


class JWTBearer(HTTPBearer):
    async def __call__(self, request: Request) -> HTTPAuthorizationCredentials | None:
        credentials = await super().__call__(request)
        if credentials is None or not self.is_good(credentials.credentials):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return credentials

    def is_good(self, token: str) -> bool:
        try:
            return "sub" in jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return False


@app.get("/orders")
def orders(user: Annotated[object, Depends(JWTBearer())]) -> list[str]:
    return []
