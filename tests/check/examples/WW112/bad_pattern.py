from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

app = FastAPI(
    middleware=[Middleware(CORSMiddleware, allow_origin_regex=r"https?://.*", allow_credentials=True)],
)


@app.get("/me")
def me(token: object = Depends(HTTPBearer())) -> None: ...
