from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordBearer

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="https://login.example.com/token")


@app.exception_handler(HTTPException)
async def with_challenge(request: Request, error: HTTPException) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.status_code == 401 else {}
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


@app.get("/me")
async def me(token: str = Depends(bearer)) -> str:
    if len(token) < 20:
        raise HTTPException(401, "Invalid token")
    return token
