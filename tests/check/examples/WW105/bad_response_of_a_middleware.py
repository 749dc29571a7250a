from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

sessions: dict[str, str] = {}


def unauthorized(content: dict[str, str]) -> JSONResponse:
    return JSONResponse(status_code=401, headers={"Cache-Control": "no-store"}, content=content)


class BearerMiddleware(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return unauthorized({"detail": "Bearer token wanted"})
        if token not in sessions:
            return unauthorized({"detail": "Unknown token"})
        return await call_next(request)


app = FastAPI()
app.add_middleware(BearerMiddleware)


@app.get("/me")
def me() -> str:
    return "you"
