# watchword-routes.toml
# version = 1
# [routes]
# "GET /orders" = "authenticated"
# "POST /orders" = "public"
from fastapi import Depends, FastAPI, HTTPException, Request

app = FastAPI()


class Role:
    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self, request: Request) -> None:
        if request.session.get("role") != self.role:
            raise HTTPException(status_code=403)


@app.get("/orders", dependencies=[Depends(Role("staff"))])
def orders() -> list[int]:
    return []


@app.post("/orders", dependencies=[Depends(Role("staff"))])
def create() -> None: ...
