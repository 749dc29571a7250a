"""Responses with the header, or that get it later; a page for people; and a function that nobody calls."""

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

app = FastAPI()
bearer = HTTPBearer(auto_error=False)
keys = {"k1": "anna"}


class Unauthorized(Exception):
    status = 401


class NeverRaised(Exception):
    status = 401


class NeverRaisedEither(Exception):
    pass


@app.exception_handler(Unauthorized)
async def unauthorized(request: Request, error: Unauthorized) -> JSONResponse:
    response = JSONResponse({"detail": str(error)}, status_code=error.status, headers=challenge())
    response.headers["Vary"] = "Authorization"
    return response


@app.exception_handler(NeverRaised)
async def never(request: Request, error: NeverRaised) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=error.status)


@app.exception_handler(NeverRaisedEither)
async def never_either(request: Request, error: NeverRaisedEither) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=401)


def challenge() -> dict[str, str]:
    return {"-".join(["WWW", "Authenticate"]): "Bearer"}


def user(credentials: HTTPAuthorizationCredentials | None = Depends(bearer)) -> str:
    if credentials is None or credentials.credentials not in keys:
        raise Unauthorized
    return keys[credentials.credentials]


def require_key(key: str) -> None:
    """Nothing calls it: require_key is what was there before."""
    if key not in keys:
        raise HTTPException(status_code=401, detail="Invalid key")


@app.get("/page")
def page(user: str = Depends(user)) -> HTMLResponse:
    return HTMLResponse("<h1>Log in</h1>", status_code=401)


@app.get("/me")
def me(user: str = Depends(user)) -> JSONResponse:
    if user == "nobody":
        return JSONResponse({}, 401, {"www-authenticate": "Bearer"})
    response = JSONResponse({"detail": "Who?"}, status_code=401)
    response.headers.update(challenge())
    return response
