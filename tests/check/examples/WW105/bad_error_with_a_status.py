from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer(auto_error=False)
keys = {"k1": "anna"}


class ShopError(Exception):
    HTTP_STATUS = 500


class NotFoundError(ShopError):
    HTTP_STATUS = 404


class UnauthorizedError(ShopError):
    HTTP_STATUS = 401


class ShopHTTPException(HTTPException):
    def __init__(self, error: ShopError) -> None:
        super().__init__(status_code=error.HTTP_STATUS, detail=str(error))


@app.exception_handler(ShopError)
async def handle(request: Request, error: ShopError):
    return await http_exception_handler(request, ShopHTTPException(error))


def user(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)) -> str:
    if credentials is None:
        raise UnauthorizedError("Not authenticated")
    if credentials.credentials not in keys:
        raise UnauthorizedError("Unknown key")
    return keys[credentials.credentials]


@app.get("/me")
def me(user: str = Depends(user)) -> str:
    return user
