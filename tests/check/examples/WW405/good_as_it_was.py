# watchword-routes.toml
# version = 1
# [routes]
# "GET /" = "public"
# "GET /orders" = "authenticated"
# "GET /gone" = "authenticated"
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI()
bearer = HTTPBearer()


@app.get("/")
def index() -> str:
    return "hello"


@app.get("/orders", dependencies=[Depends(bearer)])
def orders() -> list[int]:
    return []


@app.post("/orders", dependencies=[Depends(bearer)])
def create() -> None: ...
