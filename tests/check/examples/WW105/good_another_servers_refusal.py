import httpx2
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


class BackendUnauthorized(Exception):
    pass


class HTTPUnauthorized(Exception):
    """Of a client of another backend."""


@app.exception_handler(BackendUnauthorized)
async def pass_on(request: Request, error: BackendUnauthorized) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=401)


async def ask_backend(path: str) -> bytes:
    async with httpx2.AsyncClient() as client:
        answer = await client.get(f"https://backend.example.com{path}")
    if answer.status_code == 401:
        raise BackendUnauthorized("the backend refused us")
    return answer.content


@app.get("/report")
async def report(token: str = Depends(bearer)) -> bytes:
    if len(token) < 20:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"})
    try:
        return await ask_backend("/report")
    except HTTPUnauthorized as error:
        raise BackendUnauthorized("the other backend refused us") from error
