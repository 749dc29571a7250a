from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    shared_key: str | None = None
    algorithm: str = "HS256"


settings = Settings()
app = FastAPI()
bearer = HTTPBearer()


def claims(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> dict[str, str]:
    try:
        return jwt.decode(credentials.credentials, settings.shared_key, algorithms=[settings.algorithm])
    except JWTError:
        raise HTTPException(status_code=401, detail="Invalid token") from None


@app.get("/me")
def me(claims: Annotated[dict[str, str], Depends(claims)]) -> str:
    return claims["sub"]
