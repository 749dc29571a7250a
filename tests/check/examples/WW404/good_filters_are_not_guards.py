from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer

bearer = OAuth2PasswordBearer(tokenUrl="token")
ADMINS: set[str] = set()
app = FastAPI()


class Filter:
    def __init__(self, role: str = "any", page: int = 1) -> None:
        self.role, self.page = role, page


def user(token: Annotated[str, Depends(bearer)], role: str | None = None) -> str:
    if role == "admin" and token not in ADMINS:
        raise HTTPException(status_code=403)
    return token


def require_role(role: str):
    def check(token: Annotated[str, Depends(bearer)]) -> None:
        if role == "admin" and token not in ADMINS:
            raise HTTPException(status_code=403)

    return check


@app.get("/users")
def users(filter: Annotated[Filter, Depends()], user: Annotated[str, Depends(user)]) -> list[str]:
    return []


@app.delete("/users/{id}", dependencies=[Depends(require_role("admin"))])
def delete(id: int) -> None: ...
