from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

app = FastAPI()


@app.middleware("http")
async def authenticate(request: Request, call_next) -> Response:
    if request.headers.get("x-api-key") != "the key":
        return JSONResponse({"detail": "Forbidden"}, status_code=403)
    return await call_next(request)


@app.get("/orders")
def orders() -> list[int]:
    return []
