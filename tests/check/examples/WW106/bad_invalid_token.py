from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from jose import JWTError, jwt

app = FastAPI()
TokenDep = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="https://login.example.com/token"))]
KEY = "…"


def get_current_user(token: TokenDep) -> str:
    try:
        payload = jwt.decode(token, KEY, algorithms=["HS256"])
    except (JWTError, KeyError) as error:
        raise HTTPException(
            status_code=status.HTTP_403_FORBIDDEN,
            detail="Could not validate credentials",
        ) from error
    return str(payload["sub"])


@app.get("/me")
def me(user: Annotated[str, Depends(get_current_user)]) -> str:
    return user
