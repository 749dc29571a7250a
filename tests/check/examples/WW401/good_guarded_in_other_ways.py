import hashlib
import hmac
from functools import wraps

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request

app = FastAPI()


def login_required(function):
    @wraps(function)
    async def wrapper(request: Request):
        if not request.session.get("user_id"):
            raise HTTPException(status_code=401)
        return await function(request)

    return wrapper


class Permission:
    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, request: Request) -> None:
        if self.name not in request.session.get("permissions", ()):
            raise HTTPException(status_code=403)


@app.post("/orders")
@login_required
async def create(request: Request) -> None: ...


@app.post("/webhooks/payments")
async def payment(request: Request) -> None:
    expected = hmac.new(b"key", await request.body(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("x-signature", "")):
        raise HTTPException(status_code=400, detail="Invalid signature")


router = APIRouter()


@router.put("/orders/{id}")
def update(id: int) -> None: ...


@app.delete("/orders/{id}", dependencies=[Depends(Permission("orders:delete"))])
def delete(id: int) -> None: ...


app.include_router(router, dependencies=[Depends(Permission("orders:write"))])
