from http import HTTPStatus

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer()
keys = {"k1": "anna"}


class NotAuthenticated(HTTPException):
    def __init__(self, detail: str = "Not authenticated") -> None:
        super().__init__(status_code=HTTPStatus.UNAUTHORIZED, detail=detail)


def user(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    if credentials.credentials not in keys:
        raise NotAuthenticated
    return keys[credentials.credentials]


@app.get("/me")
def me(user: str = Depends(user)) -> str:
    return user
