from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware


class TokenMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        if request.url.path in {"/health", "/login"}:
            return await call_next(request)
        if request.headers.get("Authorization") != "Bearer token":
            return JSONResponse(status_code=401, content={"detail": "Unauthorized"})
        return await call_next(request)


app = FastAPI()
app.add_middleware(TokenMiddleware)


@app.post("/login")
def login() -> None: ...


@app.delete("/orders/{id}")
def delete(id: int) -> None: ...
