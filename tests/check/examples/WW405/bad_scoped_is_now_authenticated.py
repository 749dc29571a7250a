# watchword-routes.toml
# version = 1
# [routes]
# "POST /orders" = "orders:write"
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

app = FastAPI(dependencies=[Depends(HTTPBearer())])


@app.post("/orders")
def create() -> None: ...
