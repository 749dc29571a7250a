import os
from datetime import UTC, datetime, timedelta

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ValidationError

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="token")
KEY = OctKey.import_key(os.environ.get("KEY", os.urandom(32)))


class TokenData(BaseModel):
    username: str


class AuthService:
    def create_access_token(self, username: str) -> str:
        claims = {"sub": username, "exp": datetime.now(UTC) + timedelta(minutes=5)}
        return jwt.encode({"alg": "HS256"}, claims, KEY)

    def username_of(self, token: str) -> str:
        try:
            payload = jwt.decode(token, KEY, algorithms=["HS256"])
            username = payload.claims.get("sub")
            if username is None:
                raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
            data = TokenData(username=username)
        except (JoseError, ValidationError, ValueError):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
        return data.username


service = AuthService()


async def current_user(token: str = Depends(oauth2)) -> str:
    return service.username_of(token)


@app.post("/token")
async def login() -> dict[str, str]:
    return {"access_token": service.create_access_token("alice"), "token_type": "bearer"}


@app.get("/me")
async def me(user: str = Depends(current_user)) -> str:
    return user
