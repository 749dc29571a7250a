import os

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer


class JWTBearer(HTTPBearer):
    async def __call__(self, request: Request) -> HTTPAuthorizationCredentials | None:
        credentials = await super().__call__(request)
        if credentials is None or not self.is_valid(credentials.credentials):
            raise HTTPException(status_code=401, detail="Invalid token or expired token.")
        return credentials

    def is_valid(self, token: str) -> bool:
        try:
            jwt.decode(token, os.environ["JWT_KEY"], algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return False
        return True


app = FastAPI()


@app.post("/posts", dependencies=[Depends(JWTBearer())])
async def add_post(post: dict[str, str]) -> dict[str, str]:
    return post


@app.get("/posts")
async def posts(credentials: HTTPAuthorizationCredentials = Depends(JWTBearer())) -> dict[str, str]:
    return {"scheme": credentials.scheme}
