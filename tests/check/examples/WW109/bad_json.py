import logging

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware

app = FastAPI()
app.add_middleware(GZipMiddleware)
log = logging.getLogger(__name__)


class SignIn(BaseModel):
    email: str
    password: str
    remember: bool = False


@app.middleware("http")
async def logged(request: Request, call_next):
    log.info("%s %s", request.method, request.url.path)
    return await call_next(request)


@app.post("/signin")
def sign_in(data: SignIn):
    log.info("Login attempt of %s", data.email)
    if data.password != data.email:
        raise HTTPException(400, "Wrong address or password")
    return {"blocked": False}
