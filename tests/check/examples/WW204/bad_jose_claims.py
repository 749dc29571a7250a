from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from jose import JWTError, jwt

app = FastAPI()
oauth2 = OAuth2PasswordBearer(tokenUrl="/auth/token")


async def current_user(token: Annotated[str, Depends(oauth2)]) -> str:
    try:
        claims = jwt.get_unverified_claims(token)
        username = claims.get("sub")
    except JWTError:
        raise HTTPException(401) from None
    if username is None:
        raise HTTPException(401)
    return username


@app.get("/me")
async def me(user: Annotated[str, Depends(current_user)]) -> str:
    return user
